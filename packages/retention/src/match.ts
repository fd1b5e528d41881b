import { compileNameGlob, parseLevelRange, SEVERITY_MAX } from "@sluice/quantity";
import type { SeverityRange } from "@sluice/quantity";
import { ruleKeys } from "./policy.ts";
import type { RetentionPolicy, RuleKey, RuleMatch } from "./policy.ts";

/** What the records of a stream have in common. */
export interface StreamNames {
  readonly host: string;
  readonly source: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface RecordNames extends StreamNames {
  /** 0 to 24. */
  readonly severity: number;
}

/** A policy's rules, compiled: patterns are read once. */
export interface RuleMatcher {
  /** For each severity from 0 to 24, the rule that a record of this stream belongs to. */
  rulesFor(stream: StreamNames): readonly RuleKey[];
}

interface CompiledRule {
  readonly matchesStream: (stream: StreamNames) => boolean;
  readonly levels: SeverityRange;
}

const ALL_LEVELS: SeverityRange = { min: 0, max: SEVERITY_MAX };

/** Throws a TypeError for a level that the policy's schema would have refused. */
export function compileRules(policy: RetentionPolicy): RuleMatcher {
  const rules = policy.rules.map(({ match }) => compileMatch(match));
  const keys = ruleKeys(policy);
  return {
    rulesFor(stream) {
      const matching = rules.map((rule) => rule.matchesStream(stream));
      return Array.from({ length: SEVERITY_MAX + 1 }, (_, severity): RuleKey => {
        const index = rules.findIndex(
          ({ levels }, at) => matching[at] && levels.min <= severity && severity <= levels.max,
        );
        return keys[index] ?? "default";
      });
    },
  };
}

/** The rule that one record belongs to. For many records, keep `compileRules(policy).rulesFor(stream)` per stream. */
export function ruleFor(policy: RetentionPolicy, record: RecordNames): RuleKey {
  const rule = compileRules(policy).rulesFor(record)[record.severity];
  if (rule === undefined) {
    throw new RangeError(
      `a severity is a whole number from 0 to ${SEVERITY_MAX}, not ${record.severity}`,
    );
  }
  return rule;
}

function compileMatch(match: RuleMatch): CompiledRule {
  const tests = Object.entries(match).flatMap(([key, pattern]) =>
    key === "level" || pattern === undefined ? [] : [compileNameTest(key, pattern)],
  );
  return {
    matchesStream: (stream) => tests.every((test) => test(stream)),
    levels: match.level === undefined ? ALL_LEVELS : readLevels(match.level),
  };
}

function compileNameTest(key: string, pattern: string): (stream: StreamNames) => boolean {
  const matches = compileNameGlob(pattern);
  switch (key) {
    case "host":
      return ({ host }) => matches(host);
    case "source":
      return ({ source }) => matches(source);
    default:
      return ({ labels }) => {
        // A label named like a property of every object is absent unless somebody set it.
        const label = Object.hasOwn(labels, key) ? labels[key] : undefined;
        return label !== undefined && matches(label);
      };
  }
}

function readLevels(text: string): SeverityRange {
  const range = parseLevelRange(text);
  if (!range.ok) {
    throw new TypeError(`the policy has not been validated: ${range.error}`);
  }
  return range.value;
}
