import { timeUs } from "@sluice/quantity";
import { expect, test } from "vitest";
import { cutoffsAt, cutoffTable } from "../src/cutoff.ts";
import { compileRules } from "../src/match.ts";
import { ago, DAY_US, NOW, policy, unit } from "./stored.ts";

const RULES = policy({
  keep: "7d",
  rules: [
    { match: { level: ">=error" }, keep: "forever" },
    { match: { level: "warn" }, keep: "30d" },
    { match: { host: "db-*" } },
  ],
});

test("cutoffsAt gives each rule that ends its receipt time, and none to forever", () => {
  expect(cutoffsAt(RULES, NOW)).toEqual({
    1: ago(30 * DAY_US),
    2: ago(7 * DAY_US),
    default: ago(7 * DAY_US),
  });
});

test("cutoffsAt moves with the clock and with the policy alone", () => {
  const later = timeUs(NOW + DAY_US);
  expect(cutoffsAt(RULES, later)).toEqual({
    1: ago(29 * DAY_US),
    2: ago(6 * DAY_US),
    default: ago(6 * DAY_US),
  });
  expect(cutoffsAt(policy({ keep: "10d", max_size: 1 }), NOW)).toEqual({
    default: ago(10 * DAY_US),
  });
});

test("a keep beyond all times hides nothing", () => {
  expect(cutoffsAt(policy({ keep: "104249991d" }), NOW)).toEqual({
    default: Number.MIN_SAFE_INTEGER,
  });
});

test("cutoffTable answers by severity what a query asks for every record", () => {
  const table = cutoffTable(compileRules(RULES).rulesFor(unit("u")), cutoffsAt(RULES, NOW));
  expect(table).toHaveLength(25);
  expect([0, 12, 13, 16, 17, 24].map((severity) => table[severity])).toEqual([
    ago(7 * DAY_US),
    ago(7 * DAY_US),
    ago(30 * DAY_US),
    ago(30 * DAY_US),
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
});
