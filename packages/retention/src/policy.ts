import type { Bytes } from "@sluice/quantity";
import type { Keep, MinFree } from "./field.ts";

/**
 * What a rule asks of a record. Every entry has to hold; a rule without entries matches everything. `host`, `source` and
 * labels are name globs (`compileNameGlob`); a record without the label does not match. `level` is `warn` or `>=warn`.
 */
export interface RuleMatch {
  readonly host?: string | undefined;
  readonly source?: string | undefined;
  readonly level?: string | undefined;
  readonly [label: string]: string | undefined;
}

export interface RetentionRule {
  readonly match: RuleMatch;
  /** Absent: as long as the policy's own `keep`. */
  readonly keep?: Keep | undefined;
  /** The most that the units which belong to this rule alone may take. */
  readonly max_size?: Bytes | undefined;
}

/** The `retention:` section of collector.yaml, spelt as it is there. The first rule that matches a record decides. */
export interface RetentionPolicy {
  readonly keep: Keep;
  /** The most that everything under the data folder may take. */
  readonly max_size?: Bytes | undefined;
  readonly min_free: MinFree;
  readonly rules: readonly RetentionRule[];
}

/** The same as a file writes it. */
export interface RetentionPolicyInput {
  readonly keep?: string | number | undefined;
  readonly max_size?: string | number | undefined;
  readonly min_free?: string | number | undefined;
  readonly rules?:
    | readonly {
        readonly match: RuleMatch;
        readonly keep?: string | number | undefined;
        readonly max_size?: string | number | undefined;
      }[]
    | undefined;
}

/**
 * Which rule a record belongs to: an index into `policy.rules`, or `default` where none matches. Indices are those of one
 * policy; with another, whatever is kept by rule has to be planned anew.
 */
export type RuleKey = number | "default";

/** The keys of a policy's rules in their order, `default` last. */
export function ruleKeys(policy: RetentionPolicy): readonly RuleKey[] {
  return [...policy.rules.keys(), "default"];
}

/** How long the records of a rule are kept. Throws a RangeError for a rule that the policy does not have. */
export function keepOf(policy: RetentionPolicy, key: RuleKey): Keep {
  return key === "default" ? policy.keep : (ruleAt(policy, key).keep ?? policy.keep);
}

/** Throws a RangeError for a rule that the policy does not have. */
export function ruleAt(policy: RetentionPolicy, index: number): RetentionRule {
  const rule = policy.rules[index];
  if (rule === undefined) {
    throw new RangeError(`the policy has ${policy.rules.length} rules, and none at ${index}`);
  }
  return rule;
}
