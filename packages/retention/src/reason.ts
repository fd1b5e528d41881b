import { formatDuration, formatExactSize, formatSize } from "@sluice/quantity";
import type { DurationMs } from "@sluice/quantity";
import { ruleAt } from "./policy.ts";
import type { RetentionPolicy, RuleKey } from "./policy.ts";

/** Why a unit is dropped. */
export type DropReason =
  /** All of its records are older than their rules keep them; `rule` is the one that kept longest. */
  | { readonly kind: "age"; readonly rule: RuleKey; readonly keepMs: DurationMs }
  /** The units of a rule took more than its `max_size`. */
  | { readonly kind: "rule-size"; readonly rule: number; readonly maxBytes: number }
  /** Everything together took more than `max_size`. */
  | { readonly kind: "total-size"; readonly maxBytes: number }
  /** Less of the volume was free than `min_free` asks for. */
  | { readonly kind: "min-free"; readonly minFreeBytes: number };

/** Says a reason in words: `older than 30d (default)`, `rule 1 (host: db-*) is over 5GB`. Rules are counted from 1. */
export function formatReason(reason: DropReason, policy: RetentionPolicy): string {
  switch (reason.kind) {
    case "age":
      return `older than ${formatDuration(reason.keepMs)} (${formatRule(reason.rule, policy)})`;
    case "rule-size":
      return `${formatRule(reason.rule, policy)} is over ${formatExactSize(reason.maxBytes)}`;
    case "total-size":
      return `everything together is over ${formatExactSize(reason.maxBytes)}`;
    case "min-free":
      return `less than ${formatSize(reason.minFreeBytes)} of the volume is free`;
    default:
      return reason satisfies never;
  }
}

function formatRule(key: RuleKey, policy: RetentionPolicy): string {
  if (key === "default") {
    return key;
  }
  const terms = Object.entries(ruleAt(policy, key).match).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `rule ${key + 1}${terms.length === 0 ? "" : ` (${terms.join(", ")})`}`;
}
