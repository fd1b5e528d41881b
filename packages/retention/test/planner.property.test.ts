import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cutoffsAt, cutoffTable } from "../src/cutoff.ts";
import type { Inventory, StoredUnit } from "../src/inventory.ts";
import { compileRules } from "../src/match.ts";
import { planRetention } from "../src/planner.ts";
import type { RetentionPlan } from "../src/planner.ts";
import type { RetentionPolicy, RetentionPolicyInput } from "../src/policy.ts";
import { ago, ALL_SEVERITIES, DAY_US, NOW, policy, unit } from "./stored.ts";

const keep = fc.constantFrom("1d", "7d", "30d", "forever");
const match = fc.record(
  {
    host: fc.constantFrom("db-*", "web-*", "*-1"),
    level: fc.constantFrom(">=warn", "info", "unknown", "<error"),
    env: fc.constantFrom("prod", "*"),
  },
  { requiredKeys: [] },
);
const size = fc.integer({ min: 1, max: 2000 });

/** Small numbers make units meet their limits and each other. */
const storedUnit: fc.Arbitrary<Omit<StoredUnit, "id">> = fc
  .record({
    host: fc.constantFrom("db-1", "db-2", "web-1"),
    labels: fc.constantFrom<Record<string, string>>({}, { env: "prod" }, { env: "test" }),
    severities: fc.oneof(
      fc.constantFrom(0, 1, 1 << 9, 1 << 13, 1 << 17),
      fc.integer({ min: 0, max: ALL_SEVERITIES }),
    ),
    ageUs: fc.oneof(
      fc
        .constantFrom(0, 1, 7, 30)
        .chain((days) => fc.integer({ min: -1, max: 1 }).map((off) => days * DAY_US + off)),
      fc.integer({ min: 0, max: 60 * DAY_US }),
    ),
    spanUs: fc.constantFrom(0, 1, DAY_US),
    bytes: fc.integer({ min: 0, max: 300 }),
  })
  .map(({ ageUs, spanUs, ...given }) =>
    unit("", { ...given, lastReceivedUs: ago(ageUs), firstReceivedUs: ago(ageUs + spanUs) }),
  );

const policyInput: fc.Arbitrary<RetentionPolicyInput> = fc.record(
  {
    keep,
    max_size: size,
    min_free: fc.constantFrom<string | number>(0, "5%", "50%", 700),
    rules: fc.array(fc.record({ match, keep, max_size: size }, { requiredKeys: ["match"] }), {
      maxLength: 4,
    }),
  },
  { requiredKeys: ["keep"] },
);

const inventory: fc.Arbitrary<Inventory> = fc
  .record({
    units: fc.array(storedUnit, { maxLength: 25 }),
    overheadBytes: fc.nat(200),
    freeBytes: fc.nat(1000),
  })
  .map(({ units, overheadBytes, freeBytes }) => {
    const totalBytes = units.reduce((sum, { bytes }) => sum + bytes, overheadBytes);
    return {
      units: units.map((given, index) => ({ ...given, id: `u${index}` })),
      totalBytes,
      volume: { freeBytes, totalBytes: totalBytes + freeBytes },
    };
  });

function forAll(
  check: (rules: RetentionPolicy, stored: Inventory, plan: RetentionPlan) => void,
): void {
  fc.assert(
    fc.property(policyInput, inventory, (input, stored) => {
      const rules = policy(input);
      check(rules, stored, planRetention(rules, stored, NOW));
    }),
    { numRuns: 500 },
  );
}

function after(stored: Inventory, { drops, bytesReturned }: RetentionPlan): Inventory {
  const gone = new Set(drops.map(({ id }) => id));
  const { volume } = stored;
  return {
    units: stored.units.filter(({ id }) => !gone.has(id)),
    totalBytes: stored.totalBytes - bytesReturned,
    volume: volume && { ...volume, freeBytes: volume.freeBytes + bytesReturned },
  };
}

/** Asks the table that queries use, severity by severity. */
function isWhollyExpired(rules: RetentionPolicy, stored: StoredUnit): boolean {
  const table = cutoffTable(compileRules(rules).rulesFor(stored), cutoffsAt(rules, NOW));
  return table.every(
    (cutoffUs, severity) =>
      (stored.severities !== 0 && ((stored.severities >>> severity) & 1) === 0) ||
      stored.lastReceivedUs < cutoffUs,
  );
}

test("a plan that has been carried out leaves nothing to do", () => {
  forAll((rules, stored, plan) => {
    const next = planRetention(rules, after(stored, plan), NOW);
    expect(next.drops).toEqual([]);
    expect(next.unmet).toEqual(plan.unmet);
  });
});

test("a unit goes for its age exactly when no query can see any record of it", () => {
  forAll((rules, stored, plan) => {
    const forAge = plan.drops.filter(({ reason }) => reason.kind === "age").map(({ id }) => id);
    const expired = stored.units.filter((each) => isWhollyExpired(rules, each));
    expect(new Set(forAge)).toEqual(new Set(expired.map(({ id }) => id)));
  });
});

test("without caps nothing goes that has not expired", () => {
  fc.assert(
    fc.property(policyInput, inventory, (input, stored) => {
      const rules = policy({
        keep: input.keep,
        rules: input.rules?.map(({ match: each, keep: own }) => ({ match: each, keep: own })),
      });
      const { drops } = planRetention(rules, stored, NOW);
      expect(drops.every(({ reason }) => reason.kind === "age")).toBe(true);
    }),
  );
});

test("a cap drops no unit more than it needs", () => {
  forAll((rules, stored, plan) => {
    const kinds = ["rule-size", "total-size", "min-free"] as const;
    for (const kind of kinds) {
      const last = plan.drops.findLastIndex(({ reason }) => reason.kind === kind);
      const drop = plan.drops[last];
      if (drop === undefined) {
        continue;
      }
      // With all drops up to the last one of this kind, but without it, the cap must still be broken.
      const before = plan.drops.slice(0, last);
      const bytesReturned = before.reduce((sum, { bytes }) => sum + bytes, 0);
      const left = after(stored, { ...plan, drops: before, bytesReturned });
      const again = planRetention(rules, left, NOW);
      expect(again.drops[0]).toEqual(drop);
    }
  });
});

test("every cap holds afterwards, or is said not to", () => {
  forAll((rules, stored, plan) => {
    const left = after(stored, plan);
    const unmet = new Set(plan.unmet.map(({ reason }) => reason.kind));
    const { freeBytes, totalBytes } = left.volume ?? { freeBytes: 0, totalBytes: 0 };
    const floor = rules.min_free;
    const minFreeBytes = floor.kind === "bytes" ? floor.bytes : (totalBytes * floor.percent) / 100;
    expect(left.totalBytes > (rules.max_size ?? Number.POSITIVE_INFINITY)).toBe(
      unmet.has("total-size"),
    );
    expect(freeBytes < minFreeBytes).toBe(unmet.has("min-free"));
    expect(unmet.has("rule-size")).toBe(false);
    const matcher = compileRules(rules);
    for (const [index, { max_size: maxBytes }] of rules.rules.entries()) {
      const own = left.units.filter((each) =>
        matcher
          .rulesFor(each)
          .every(
            (key, severity) =>
              key === index ||
              (each.severities !== 0 && ((each.severities >>> severity) & 1) === 0),
          ),
      );
      const ownBytes = own.reduce((sum, { bytes }) => sum + bytes, 0);
      expect(ownBytes).toBeLessThanOrEqual(maxBytes ?? Number.POSITIVE_INFINITY);
    }
  });
});

test("the order in which units are given does not matter", () => {
  fc.assert(
    fc.property(
      policyInput,
      inventory.chain((stored) =>
        fc
          .shuffledSubarray([...stored.units], { minLength: stored.units.length })
          .map((units) => [stored, { ...stored, units }] as const),
      ),
      (input, [stored, shuffled]) => {
        const rules = policy(input);
        expect(planRetention(rules, shuffled, NOW)).toEqual(planRetention(rules, stored, NOW));
      },
    ),
  );
});

test("sums and summary account for every drop once", () => {
  forAll((_, stored, plan) => {
    const { drops, bytesReturned, summary } = plan;
    expect(new Set(drops.map(({ id }) => id)).size).toBe(drops.length);
    expect(stored.units.length).toBeGreaterThanOrEqual(drops.length);
    expect(bytesReturned).toBe(drops.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(summary.reduce((sum, { units }) => sum + units, 0)).toBe(drops.length);
    expect(summary.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(bytesReturned);
  });
});
