import { describe, expect, test } from "vitest";
import type { Inventory, StoredUnit } from "../src/inventory.ts";
import { planRetention } from "../src/planner.ts";
import type { PlanOptions, RetentionPlan } from "../src/planner.ts";
import type { RetentionPolicy } from "../src/policy.ts";
import { formatReason } from "../src/reason.ts";
import { ago, ALL_SEVERITIES, DAY_US, ERROR, INFO, NOW, policy, unit, WARN } from "./stored.ts";

function plan(
  rules: RetentionPolicy,
  units: readonly StoredUnit[],
  given: Partial<Inventory> = {},
  options?: PlanOptions,
): RetentionPlan {
  const totalBytes = units.reduce((sum, { bytes }) => sum + bytes, 0);
  return planRetention(rules, { units, totalBytes, ...given }, NOW, options);
}

/** What goes, as `id: reason` lines. */
function dropped(
  rules: RetentionPolicy,
  units: readonly StoredUnit[],
  given?: Partial<Inventory>,
): string[] {
  return plan(rules, units, given).drops.map(
    ({ id, reason }) => `${id}: ${formatReason(reason, rules)}`,
  );
}

function aged(id: string, days: number, given: Partial<StoredUnit> = {}): StoredUnit {
  return unit(id, { lastReceivedUs: ago(days * DAY_US), ...given });
}

describe("age", () => {
  test.each([
    ["one microsecond short of its time", 7 * DAY_US - 1, false],
    ["exactly at its time", 7 * DAY_US, false],
    ["one microsecond past its time", 7 * DAY_US + 1, true],
    ["received in the future", -DAY_US, false],
  ])("of a unit %s", (_, ageUs, goes) => {
    const drops = dropped(policy({ keep: "7d" }), [unit("u", { lastReceivedUs: ago(ageUs) })]);
    expect(drops).toEqual(goes ? ["u: older than 7d (default)"] : []);
  });

  test("counts from the last record of a unit, not from the first", () => {
    const spread = unit("u", { firstReceivedUs: ago(100 * DAY_US), lastReceivedUs: ago(DAY_US) });
    expect(dropped(policy({ keep: "7d" }), [spread])).toEqual([]);
  });

  test("agrees with the cutoffs of the plan", () => {
    const { cutoffs } = plan(policy({ keep: "7d" }), []);
    expect(cutoffs).toEqual({ default: ago(7 * DAY_US) });
  });

  test("is never reached where the policy keeps forever", () => {
    expect(dropped(policy({ keep: "forever" }), [aged("u", 100_000)])).toEqual([]);
  });

  const levels = policy({
    keep: "7d",
    rules: [
      { match: { level: "warn" }, keep: "30d" },
      { match: { level: ">=error" }, keep: "forever" },
    ],
  });

  test.each([
    ["info", INFO, 8, ["u: older than 7d (default)"]],
    ["warn", WARN, 8, []],
    ["warn", WARN, 31, ["u: older than 30d (rule 1 (level: warn))"]],
    ["info and warn", INFO | WARN, 8, []],
    ["info and warn", INFO | WARN, 31, ["u: older than 30d (rule 1 (level: warn))"]],
    ["info, warn and error", INFO | WARN | ERROR, 9999, []],
    ["levels that nobody recorded", 0, 9999, []],
  ])("of a unit with %s lasts as long as its longest rule", (_, severities, days, expected) => {
    expect(dropped(levels, [aged("u", days, { severities })])).toEqual(expected);
  });

  test("is decided by the first of overlapping rules, though a later one keeps longer", () => {
    const rules = policy({
      rules: [
        { match: { host: "web-*" }, keep: "1d" },
        { match: { host: "web-1" }, keep: "365d" },
      ],
    });
    expect(dropped(rules, [aged("u", 2)])).toEqual(["u: older than 1d (rule 1 (host: web-*))"]);
  });

  test("of a rule without its own keep is the policy's", () => {
    const rules = policy({ keep: "7d", rules: [{ match: { host: "web-*" } }] });
    expect(dropped(rules, [aged("u", 8)])).toEqual(["u: older than 7d (rule 1 (host: web-*))"]);
  });

  test("while suspended drops nothing and gives no cutoffs; caps go on", () => {
    const rules = policy({ keep: "7d", max_size: 100 });
    const units = [aged("a", 8), aged("b", 9)];
    const suspended = plan(rules, units, {}, { suspendAge: "the clock jumped" });
    expect(suspended.cutoffs).toBeUndefined();
    expect(suspended.drops.map(({ id, reason }) => [id, reason.kind])).toEqual([
      ["b", "total-size"],
    ]);
  });
});

describe("a rule's size", () => {
  const rules = policy({
    keep: "forever",
    rules: [{ match: { host: "db-*", level: "<error" }, max_size: 250 }],
  });
  const db = (id: string, days: number, given: Partial<StoredUnit> = {}): StoredUnit =>
    aged(id, days, { host: "db-1", ...given });

  test.each([
    ["below", [249], []],
    ["at", [250], []],
    ["one byte above", [251], ["0"]],
    ["above, with the oldest enough", [100, 100, 51], ["0"]],
    ["above, with two needed", [1, 100, 251], ["0", "1", "2"]],
  ])("%s the cap", (_, sizes, expected) => {
    const units = sizes.map((bytes, index) => db(String(index), 9 - index, { bytes }));
    expect(plan(rules, units).drops.map(({ id }) => id)).toEqual(expected);
  });

  test("counts only units all of whose levels belong to the rule", () => {
    const units = [
      db("own", 1, { bytes: 251 }),
      db("mixed", 3, { severities: INFO | ERROR, bytes: 1000 }),
      db("unknown levels", 4, { severities: 0, bytes: 1000 }),
      aged("other host", 5, { bytes: 1000 }),
    ];
    expect(dropped(rules, units)).toEqual(["own: rule 1 (host: db-*, level: <error) is over 250B"]);
  });

  test("is looked at after age, which may have done the work", () => {
    const both = policy({
      keep: "7d",
      rules: [{ match: { host: "db-*" }, max_size: 200 }],
    });
    expect(dropped(both, [db("a", 8), db("b", 2), db("c", 1)])).toEqual([
      "a: older than 7d (rule 1 (host: db-*))",
    ]);
  });
});

describe("the total size", () => {
  test.each([
    ["at the cap", 300, []],
    ["one byte over it", 299, ["c"]],
    ["by more than the oldest", 199, ["c", "b"]],
  ])("%s", (_, maxSize, expected) => {
    const units = [aged("a", 1), aged("b", 2), aged("c", 3)];
    const drops = plan(policy({ max_size: maxSize }), units).drops;
    expect(drops.map(({ id }) => id)).toEqual(expected);
  });

  test("counts what no unit accounts for, and says what is missing when all has gone", () => {
    const rules = policy({ max_size: 500 });
    const result = plan(rules, [aged("a", 1), aged("b", 2)], { totalBytes: 750 });
    expect(result.drops.map(({ id }) => id)).toEqual(["b", "a"]);
    expect(result.bytesReturned).toBe(200);
    expect(result.unmet).toEqual([
      { reason: { kind: "total-size", maxBytes: 500 }, missingBytes: 50 },
    ]);
  });

  test("takes what is to be kept forever, and today's data last", () => {
    const rules = policy({
      keep: "forever",
      max_size: 1,
      rules: [{ match: { host: "db-*" }, keep: "forever" }],
    });
    const units = [unit("today"), aged("db", 400, { host: "db-1" }), aged("web", 2)];
    expect(plan(rules, units).drops.map(({ id }) => id)).toEqual(["db", "web", "today"]);
  });

  test("is not over when age and a rule's size have returned enough", () => {
    const rules = policy({
      keep: "7d",
      max_size: 200,
      rules: [{ match: { host: "db-*" }, max_size: 100 }],
    });
    const units = [
      aged("old", 8),
      aged("db 1", 3, { host: "db-1" }),
      aged("db 2", 2, { host: "db-1" }),
      aged("web", 4),
    ];
    expect(plan(rules, units).drops.map(({ id, reason }) => [id, reason.kind])).toEqual([
      ["old", "age"],
      ["db 1", "rule-size"],
    ]);
  });
});

describe("the free space", () => {
  const units = [aged("a", 1), aged("b", 2), aged("c", 3)];

  test.each([
    ["5%", { freeBytes: 50, totalBytes: 1000 }, []],
    ["5%", { freeBytes: 49, totalBytes: 1000 }, ["c"]],
    ["5%", { freeBytes: 50, totalBytes: 1001 }, ["c"]],
    ["0.1%", { freeBytes: 1, totalBytes: 1000 }, []],
    [120, { freeBytes: 0, totalBytes: 1000 }, ["c", "b"]],
    [0, { freeBytes: 0, totalBytes: 1000 }, []],
  ])("of %s on %j", (minFree, volume, expected) => {
    const rules = policy({ min_free: minFree, keep: "forever" });
    expect(plan(rules, units, { volume }).drops.map(({ id }) => id)).toEqual(expected);
  });

  test("is not looked at where the volume could not be read", () => {
    expect(dropped(policy({ min_free: "99%" }), units)).toEqual([]);
  });

  test("counts what the other reasons return", () => {
    const rules = policy({ min_free: 250, max_size: 200, keep: "forever" });
    expect(dropped(rules, units, { volume: { freeBytes: 100, totalBytes: 1000 } })).toEqual([
      "c: everything together is over 200B",
      "b: less than 250 B of the volume is free",
    ]);
  });
});

describe("a plan", () => {
  test("of nothing stored is empty", () => {
    expect(plan(policy({ max_size: 1, min_free: "5%" }), [])).toEqual({
      drops: [],
      cutoffs: { default: ago(30 * DAY_US) },
      bytesReturned: 0,
      unmet: [],
      summary: [],
    });
  });

  test("settles equal ages by first receipt, then by id, whatever the order given", () => {
    const lastReceivedUs = ago(DAY_US);
    const units = [
      unit("c", { lastReceivedUs }),
      unit("a", { lastReceivedUs }),
      unit("b", { lastReceivedUs }),
      unit("d", { lastReceivedUs, firstReceivedUs: ago(2 * DAY_US) }),
    ];
    const rules = policy({ max_size: 150 });
    const expected = ["d", "a", "b"];
    expect(plan(rules, units).drops.map(({ id }) => id)).toEqual(expected);
    expect(plan(rules, units.toReversed()).drops.map(({ id }) => id)).toEqual(expected);
  });

  test("leaves units that would give nothing back to their age", () => {
    const empty = aged("empty", 9, { bytes: 0 });
    expect(dropped(policy({ max_size: 50 }), [empty, aged("a", 1)])).toEqual([
      "a: everything together is over 50B",
    ]);
    expect(dropped(policy({ keep: "7d" }), [empty])).toEqual(["empty: older than 7d (default)"]);
  });

  test("adds up by reason", () => {
    const rules = policy({ keep: "7d", max_size: 150 });
    const { summary, bytesReturned } = plan(rules, [
      aged("a", 8),
      aged("b", 9, { bytes: 50, records: 3, firstReceivedUs: ago(20 * DAY_US) }),
      aged("c", 2),
      aged("d", 1),
    ]);
    expect(bytesReturned).toBe(250);
    expect(summary).toEqual([
      {
        reason: { kind: "age", rule: "default", keepMs: 604_800_000 },
        units: 2,
        records: 13,
        bytes: 150,
        firstReceivedUs: ago(20 * DAY_US),
        lastReceivedUs: ago(8 * DAY_US),
      },
      {
        reason: { kind: "total-size", maxBytes: 150 },
        units: 1,
        records: 10,
        bytes: 100,
        firstReceivedUs: ago(2 * DAY_US),
        lastReceivedUs: ago(2 * DAY_US),
      },
    ]);
  });

  test("throws for two units of one id and for severities that do not exist", () => {
    expect(() => plan(policy(), [unit("a"), unit("a")])).toThrow(TypeError);
    expect(() => plan(policy(), [unit("a", { severities: ALL_SEVERITIES + 1 })])).toThrow(
      RangeError,
    );
    expect(() => plan(policy(), [unit("a", { severities: -1 })])).toThrow(RangeError);
  });
});
