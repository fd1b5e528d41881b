import { compileNameGlob, parseLevelRange } from "@sluice/quantity";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRules, ruleFor } from "../src/match.ts";
import type { RecordNames } from "../src/match.ts";
import type { RetentionPolicy, RuleKey, RuleMatch } from "../src/policy.ts";
import { policy } from "./stored.ts";

const RECORD: RecordNames = {
  host: "db-1",
  source: "/var/log/auth.log",
  labels: { env: "prod" },
  severity: 13,
};

describe("a rule", () => {
  test.each<[RuleMatch, Partial<RecordNames>, boolean]>([
    [{}, {}, true],
    [{ host: "db-*" }, {}, true],
    [{ host: "web-*" }, {}, false],
    [{ host: "DB-1" }, {}, false],
    [{ source: "/var/*.log" }, {}, true],
    [{ source: "auth.log" }, {}, false],
    [{ level: "warn" }, {}, true],
    [{ level: "warn" }, { severity: 12 }, false],
    [{ level: "warn" }, { severity: 16 }, true],
    [{ level: "warn" }, { severity: 17 }, false],
    [{ level: ">=warn" }, { severity: 24 }, true],
    [{ level: ">=warn" }, { severity: 0 }, false],
    [{ level: "<error" }, { severity: 0 }, false],
    [{ level: "unknown" }, { severity: 0 }, true],
    [{ env: "prod" }, {}, true],
    [{ env: "p*" }, {}, true],
    [{ env: "*" }, { labels: {} }, false],
    [{ env: "test" }, {}, false],
    [{ constructor: "*" }, {}, false],
    [{ host: "db-*", env: "prod", level: ">=warn" }, {}, true],
    [{ host: "db-*", env: "prod", level: ">=error" }, {}, false],
    [{ host: "db-*", env: "dev", level: ">=warn" }, {}, false],
  ])("with %j on %j matches: %s", (match, record, expected) => {
    const key = ruleFor(policy({ rules: [{ match }] }), { ...RECORD, ...record });
    expect(key).toBe(expected ? 0 : "default");
  });
});

test("the first rule that matches decides, per severity", () => {
  const matcher = compileRules(
    policy({
      rules: [
        { match: { host: "web-*" } },
        { match: { level: ">=error" } },
        { match: { env: "prod", level: ">=info" } },
        { match: { level: "fatal" } },
      ],
    }),
  );
  const table = matcher.rulesFor(RECORD);
  expect(table).toHaveLength(25);
  expect([0, 8, 9, 16, 17, 24].map((severity) => table[severity])).toEqual([
    "default",
    "default",
    2,
    2,
    1,
    1,
  ]);
});

test("ruleFor throws for a severity that does not exist", () => {
  expect(() => ruleFor(policy(), { ...RECORD, severity: 25 })).toThrow(RangeError);
});

test("compileRules throws for a level that validation would have refused", () => {
  const unchecked: RetentionPolicy = { ...policy(), rules: [{ match: { level: "loud" } }] };
  expect(() => compileRules(unchecked)).toThrow(TypeError);
});

test("the table of a stream agrees with asking each rule in turn", () => {
  const name = fc.constantFrom("a", "b", "ab");
  const pattern = fc.constantFrom("a", "*b", "a*", "?", "*");
  const level = fc.constantFrom("unknown", "info", ">=warn", "<error", "notice");
  const match = fc.record(
    { host: pattern, source: pattern, level, env: pattern },
    { requiredKeys: [] },
  );
  const record = fc.record({
    host: name,
    source: name,
    labels: fc.record({ env: name }, { requiredKeys: [] }),
    severity: fc.nat(24),
  });
  fc.assert(
    fc.property(fc.array(match, { maxLength: 5 }), record, (matches, given) => {
      const rules = matches.map((each) => ({ match: each }));
      expect(ruleFor(policy({ rules }), given)).toBe(firstOf(matches, given));
    }),
    { numRuns: 500 },
  );
});

function firstOf(
  matches: readonly { host?: string; source?: string; level?: string; env?: string }[],
  {
    host,
    source,
    labels,
    severity,
  }: { host: string; source: string; labels: { env?: string }; severity: number },
): RuleKey {
  const fits = (pattern: string | undefined, name: string | undefined): boolean =>
    pattern === undefined || (name !== undefined && compileNameGlob(pattern)(name));
  const index = matches.findIndex((match) => {
    const range = parseLevelRange(match.level ?? "unknown");
    const inLevel =
      match.level === undefined ||
      (range.ok && range.value.min <= severity && severity <= range.value.max);
    return (
      fits(match.host, host) && fits(match.source, source) && fits(match.env, labels.env) && inLevel
    );
  });
  return index === -1 ? "default" : index;
}
