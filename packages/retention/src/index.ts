export { clockSuspect, MAX_CLOCK_JUMP_MS, MAX_START_LEAP_MS } from "./clock.ts";
export type { ClockObservation } from "./clock.ts";
export { cutoffsAt, cutoffTable } from "./cutoff.ts";
export type { Cutoffs } from "./cutoff.ts";
export type { Keep, MinFree } from "./field.ts";
export type { Inventory, StoredUnit, Volume } from "./inventory.ts";
export { compileRules, ruleFor } from "./match.ts";
export type { RecordNames, RuleMatcher, StreamNames } from "./match.ts";
export { floorOf, planRetention } from "./planner.ts";
export type { PlanOptions, RetentionPlan, Unmet } from "./planner.ts";
export { keepOf } from "./policy.ts";
export type {
  RetentionPolicy,
  RetentionPolicyInput,
  RetentionRule,
  RuleKey,
  RuleMatch,
} from "./policy.ts";
export { retentionPolicySchema } from "./policy-schema.ts";
export { formatReason } from "./reason.ts";
export type { DropReason } from "./reason.ts";
export type { Drop, SummaryRow } from "./summary.ts";
