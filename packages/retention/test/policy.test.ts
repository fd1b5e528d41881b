import { describe, expect, test } from "vitest";
import * as z from "zod";
import { retentionPolicySchema } from "../src/policy-schema.ts";
import { keepOf, ruleAt, ruleKeys } from "../src/policy.ts";
import type { RetentionPolicyInput } from "../src/policy.ts";
import { policy } from "./stored.ts";

const DAY_MS = 86_400_000;

function complaint(input: unknown): string[] {
  const result = retentionPolicySchema.safeParse(input);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("retentionPolicySchema", () => {
  test("keeps 30 days and 5 % of the volume free when nothing is said", () => {
    expect(retentionPolicySchema.parse({})).toEqual({
      keep: 30 * DAY_MS,
      min_free: { kind: "percent", percent: 5 },
      rules: [],
    });
  });

  test("reads the section as the manual shows it", () => {
    const match = { host: "db-*", source: "/var/log/auth*", level: ">=warn", env: "prod" };
    expect(
      retentionPolicySchema.parse({
        keep: "forever",
        max_size: "50GB",
        min_free: "10GiB",
        rules: [{ match, keep: "365d", max_size: "5GB" }, { match: {} }],
      }),
    ).toEqual({
      keep: "forever",
      max_size: 50e9,
      min_free: { kind: "bytes", bytes: 10 * 2 ** 30 },
      rules: [{ match, keep: 365 * DAY_MS, max_size: 5e9 }, { match: {} }],
    });
  });

  test.each([
    [{ keep: "soon" }, "keep: expected forever or a duration such as 7d or 1h30m"],
    [{ keep: 30 }, "keep: expected forever or a duration such as 7d or 1h30m"],
    [{ keep: ["1d"] }, "keep: expected forever or a duration such as 7d or 1h30m"],
    [{ keep: "0s" }, "keep: expected a duration above zero"],
    [{ max_size: 0 }, "max_size: expected a size above zero; leave it out to have no limit"],
    [{ max_size: -1 }, "max_size: expected a size such as 50GB or 512MiB"],
    [
      { min_free: "100%" },
      "min_free: expected a share of the volume such as 5%, below 100%, or a size such as 10GB",
    ],
    [{ min_free: 5 }, "min_free: expected a unit: 5% of the volume, or 5GB"],
    [
      { rules: [{ match: { level: "loud" } }] },
      "rules.0.match.level: expected a level: unknown, trace, debug, info, warn, error, fatal, or a comparison such as >=warn",
    ],
  ])("refuses %j", (input, expected) => {
    expect(complaint(input)).toEqual([expected]);
  });

  test("refuses keys that it does not know, but takes any label in a match", () => {
    expect(complaint({ keeps: "1d" })).toHaveLength(1);
    expect(complaint({ rules: [{ match: {}, kep: "1d" }] })).toHaveLength(1);
    expect(complaint({ rules: [{ match: { anything: "x" } }] })).toEqual([]);
    expect(complaint({ rules: [{ match: { anything: 5 } }] })).toHaveLength(1);
  });

  test.each([
    { keep: "forever", min_free: "5%", rules: [] },
    { keep: "1h 30m", max_size: "1500B", min_free: "2.5%", rules: [] },
    {
      keep: "30d",
      min_free: "10GB",
      rules: [{ match: { host: "a", env: "b" }, keep: "7d", max_size: "5GiB" }],
    },
  ] satisfies RetentionPolicyInput[])("writes back what it reads: %j", (input) => {
    expect(z.encode(retentionPolicySchema, retentionPolicySchema.parse(input))).toEqual(input);
  });
});

test("a rule without keep takes the policy's, and keys end with default", () => {
  const mixed = policy({ keep: "9d", rules: [{ match: {}, keep: "forever" }, { match: {} }] });
  expect(ruleKeys(mixed)).toEqual([0, 1, "default"]);
  expect(ruleKeys(mixed).map((key) => keepOf(mixed, key))).toEqual([
    "forever",
    9 * DAY_MS,
    9 * DAY_MS,
  ]);
  expect(() => ruleAt(mixed, 2)).toThrow(RangeError);
});
