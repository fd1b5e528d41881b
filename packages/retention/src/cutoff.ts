import { timeUs } from "@sluice/quantity";
import type { TimeUs } from "@sluice/quantity";
import { keepOf, ruleKeys } from "./policy.ts";
import type { RetentionPolicy, RuleKey } from "./policy.ts";

/**
 * By rule, the receipt time before which its records have expired and are not to be seen any more. A record received at
 * the cutoff itself is still kept. A rule that keeps forever has no entry.
 */
export type Cutoffs = Readonly<Partial<Record<RuleKey, TimeUs>>>;

/**
 * The cutoffs of a policy at a moment. They follow from these two alone: under one policy they move with the clock, and a
 * changed policy moves them at once, either way. Caps never move them, so that what a cap removes is an event in the plan
 * and not a rule that would also hide records arriving late.
 */
export function cutoffsAt(policy: RetentionPolicy, nowUs: TimeUs): Cutoffs {
  const cutoffs: Partial<Record<RuleKey, TimeUs>> = {};
  for (const key of ruleKeys(policy)) {
    const keep = keepOf(policy, key);
    if (keep !== "forever") {
      cutoffs[key] = timeUs(Math.max(nowUs - keep * 1000, Number.MIN_SAFE_INTEGER));
    }
  }
  return cutoffs;
}

/**
 * For each severity of a stream, the cutoff of its rule, or -Infinity where it keeps forever: a record is visible while
 * `receivedUs >= table[severity]`. `rules` is what `RuleMatcher.rulesFor` gives for the stream.
 */
export function cutoffTable(rules: readonly RuleKey[], cutoffs: Cutoffs): Float64Array {
  return Float64Array.from(rules, (key) => cutoffs[key] ?? Number.NEGATIVE_INFINITY);
}
