import type { TimeUs } from "@sluice/quantity";
import { cutoffsAt } from "./cutoff.ts";
import type { Cutoffs } from "./cutoff.ts";
import type { MinFree } from "./field.ts";
import { compareUnits } from "./inventory.ts";
import type { Inventory, StoredUnit, Volume } from "./inventory.ts";
import { compileRules } from "./match.ts";
import type { RuleMatcher } from "./match.ts";
import { keepOf } from "./policy.ts";
import type { RetentionPolicy, RuleKey } from "./policy.ts";
import type { DropReason } from "./reason.ts";
import { summarize } from "./summary.ts";
import type { Drop, SummaryRow } from "./summary.ts";

export interface PlanOptions {
  /** Why ages cannot be trusted now (`clockSuspect`): nothing is dropped for its age. Caps go on. */
  readonly suspendAge?: string | undefined;
}

/** A cap that holds although everything that could go has gone. */
export interface Unmet {
  readonly reason: DropReason;
  readonly missingBytes: number;
}

export interface RetentionPlan {
  /** For age, then by rule for its size, then for the whole, then for the volume; oldest first in each. */
  readonly drops: readonly Drop[];
  /** Undefined while ages are suspended: those in force stay in force. */
  readonly cutoffs: Cutoffs | undefined;
  readonly bytesReturned: number;
  readonly unmet: readonly Unmet[];
  readonly summary: readonly SummaryRow[];
}

interface Candidate {
  readonly unit: StoredUnit;
  /** The rules that its records belong to, in the policy's order, `default` last. */
  readonly rules: readonly RuleKey[];
}

/**
 * Decides what goes, and why. It says the same for the same arguments, whatever the order of the units, and once a plan
 * has been carried out the next one is empty.
 *
 * - Age counts from receipt. A unit goes when its last record is older than each of its rules keeps; so one with several
 *   rules lives as long as the longest of them, and what has expired inside it is only hidden by the cutoffs.
 * - A rule's `max_size` counts the units that belong to this rule alone, and drops the oldest of them.
 * - The policy's `max_size`, then `min_free`, drop the oldest of everything. They are caps: what is to be kept forever,
 *   or came today, goes as well when nothing older is left.
 *
 * A cap drops no unit more than it needs. Throws a TypeError where two units have one id, and a RangeError
 * for severities beyond 24.
 */
export function planRetention(
  policy: RetentionPolicy,
  inventory: Inventory,
  nowUs: TimeUs,
  options: PlanOptions = {},
): RetentionPlan {
  const plan = new Plan(toCandidates(inventory.units, compileRules(policy)));
  const cutoffs = options.suspendAge === undefined ? cutoffsAt(policy, nowUs) : undefined;
  if (cutoffs !== undefined) {
    plan.dropExpired(policy, cutoffs);
  }
  for (const [rule, { max_size: maxBytes }] of policy.rules.entries()) {
    if (maxBytes !== undefined) {
      const own = plan.left.filter(({ rules }) => rules.length === 1 && rules[0] === rule);
      plan.dropOldest(own, sumBytes(own) - maxBytes, { kind: "rule-size", rule, maxBytes });
    }
  }
  if (policy.max_size !== undefined) {
    const overBytes = inventory.totalBytes - plan.bytesReturned - policy.max_size;
    plan.dropOldest(plan.left, overBytes, { kind: "total-size", maxBytes: policy.max_size });
  }
  if (inventory.volume !== undefined) {
    const minFreeBytes = floorOf(policy.min_free, inventory.volume);
    const overBytes = minFreeBytes - (inventory.volume.freeBytes + plan.bytesReturned);
    plan.dropOldest(plan.left, overBytes, { kind: "min-free", minFreeBytes });
  }
  const { drops, bytesReturned, unmet } = plan;
  return { drops, cutoffs, bytesReturned, unmet, summary: summarize(drops) };
}

class Plan {
  readonly drops: Drop[] = [];
  readonly unmet: Unmet[] = [];
  bytesReturned = 0;
  /** Oldest first. */
  left: readonly Candidate[];

  constructor(candidates: readonly Candidate[]) {
    this.left = candidates;
  }

  dropExpired(policy: RetentionPolicy, cutoffs: Cutoffs): void {
    const reasons = new Map<RuleKey, DropReason>();
    this.left = this.left.filter(({ unit, rules }) => {
      const rule = longestKept(policy, rules);
      const keep = keepOf(policy, rule);
      const cutoffUs = cutoffs[rule];
      if (keep === "forever" || cutoffUs === undefined || unit.lastReceivedUs >= cutoffUs) {
        return true;
      }
      const reason = reasons.get(rule) ?? { kind: "age", rule, keepMs: keep };
      reasons.set(rule, reason);
      this.#drop(unit, reason);
      return false;
    });
  }

  /** Drops candidates, which are oldest first, until at least so many bytes have come back. */
  dropOldest(candidates: readonly Candidate[], overBytes: number, reason: DropReason): void {
    let missingBytes = overBytes;
    const dropped = new Set<Candidate>();
    for (const candidate of candidates) {
      if (missingBytes <= 0) {
        break;
      }
      // A unit that gives nothing back does not bring the cap any nearer.
      if (candidate.unit.bytes > 0) {
        this.#drop(candidate.unit, reason);
        dropped.add(candidate);
        missingBytes -= candidate.unit.bytes;
      }
    }
    if (missingBytes > 0) {
      this.unmet.push({ reason, missingBytes });
    }
    this.left = this.left.filter((candidate) => !dropped.has(candidate));
  }

  #drop(unit: StoredUnit, reason: DropReason): void {
    const { id, bytes, records, firstReceivedUs, lastReceivedUs } = unit;
    this.drops.push({ id, bytes, records, firstReceivedUs, lastReceivedUs, reason });
    this.bytesReturned += unit.bytes;
  }
}

function toCandidates(units: readonly StoredUnit[], matcher: RuleMatcher): readonly Candidate[] {
  const ids = new Set(units.map(({ id }) => id));
  if (ids.size !== units.length) {
    throw new TypeError("two units of the inventory have the same id");
  }
  return units
    .toSorted(compareUnits)
    .map((unit) => ({ unit, rules: rulesOf(unit, matcher.rulesFor(unit)) }));
}

/** At least one rule, since the table is full and some bit within it is set. */
function rulesOf({ id, severities }: StoredUnit, table: readonly RuleKey[]): readonly RuleKey[] {
  if (!Number.isInteger(severities) || severities < 0 || severities >= 2 ** table.length) {
    throw new RangeError(`unit ${id} has severities beyond 24: ${severities}`);
  }
  const present = table.filter((_, severity) => severities === 0 || (severities >>> severity) & 1);
  return [...new Set(present)].sort(byPrecedence);
}

function byPrecedence(a: RuleKey, b: RuleKey): number {
  return rank(a) - rank(b);
}

function rank(key: RuleKey): number {
  return key === "default" ? Number.MAX_SAFE_INTEGER : key;
}

/** Of equally long ones the first in the policy's order. */
function longestKept(policy: RetentionPolicy, rules: readonly RuleKey[]): RuleKey {
  const keepMsOf = (rule: RuleKey): number => {
    const keep = keepOf(policy, rule);
    return keep === "forever" ? Number.POSITIVE_INFINITY : keep;
  };
  return rules.reduce((longest, rule) => (keepMsOf(rule) > keepMsOf(longest) ? rule : longest));
}

function sumBytes(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, { unit }) => sum + unit.bytes, 0);
}

/** `min_free` in bytes of this volume; 0 where it asks for nothing. */
export function floorOf(floor: MinFree, volume: Volume): number {
  return floor.kind === "bytes"
    ? floor.bytes
    : Math.ceil((volume.totalBytes * floor.percent) / 100);
}
