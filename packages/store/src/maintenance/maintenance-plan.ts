import type { SegmentEntry } from "../manifest/manifest.ts";

/** What is to be done next to the files. Ids are those of the manifest. */
export type MaintenanceJob =
  | { readonly kind: "compact"; readonly level: number }
  | { readonly kind: "merge"; readonly segments: readonly number[]; readonly level: number };

export interface MaintenanceState {
  /** Of the payloads in the head that no segment holds yet. */
  readonly headBytes: number;
  /** Receipt of the oldest of them. */
  readonly oldestReceivedUs: number | undefined;
  readonly segments: readonly SegmentEntry[];
  readonly nowUs: number;
  /** Somebody asked for it: whatever can be done is due. */
  readonly isAsked: boolean;
  /**
   * Whether the head still holds a batch that it held when it was asked; default `isAsked`. What comes
   * in afterwards is not due: nobody who asks during ingest would get an answer otherwise.
   */
  readonly isHeadAsked?: boolean | undefined;
}

/** Payload bytes that make a segment worth writing: about 256 MiB of text. */
export const COMPACT_HEAD_BYTES: number = 32 * 1024 * 1024;

/** A record is in a segment at most this long after its receipt, and found by its index from then on. */
const COMPACT_AGE_US = 10 * 60 * 1_000_000;

/** A segment below this is merged with others of its partition and day. */
const SMALL_BYTES = 192 * 1024 * 1024;

/** Raw bytes that a merge may come to. */
export const MERGED_BYTES: number = 1024 * 1024 * 1024;

/** So many of about one size are merged: each record is written again a few times in all, not each day. */
const MERGE_WIDTH = 4;

const DAY_US = 86_400_000_000;

/**
 * Level 6 takes twice the time of level 3 for a tenth of the size; where compaction falls behind, it
 * takes 3 and leaves the rest for a quiet time.
 */
const THOROUGH_LEVEL = 6;
const HASTY_LEVEL = 3;

/** Decides what comes next, or undefined where nothing is due. The head comes first: it is what grows. */
export function nextJob(state: MaintenanceState): MaintenanceJob | undefined {
  const { headBytes, oldestReceivedUs, nowUs, isAsked, isHeadAsked = isAsked } = state;
  const isOld = oldestReceivedUs !== undefined && nowUs - oldestReceivedUs >= COMPACT_AGE_US;
  if (headBytes >= COMPACT_HEAD_BYTES || isOld || (isHeadAsked && oldestReceivedUs !== undefined)) {
    const isBehind = headBytes >= 2 * COMPACT_HEAD_BYTES && !isAsked;
    return { kind: "compact", level: isBehind ? HASTY_LEVEL : THOROUGH_LEVEL };
  }
  return mergeOf(state) ?? refinementOf(state);
}

function mergeOf({ segments, nowUs, isAsked }: MaintenanceState): MaintenanceJob | undefined {
  const today = new Date(nowUs / 1000).toISOString().slice(0, 10);
  const groups = Map.groupBy(
    segments.filter(({ rawBytes }) => rawBytes < SMALL_BYTES),
    ({ partition, day }) => `${day} ${partition}`,
  );
  for (const group of groups.values()) {
    // A day that is over gets no more: it is merged whatever the sizes.
    const isOver = group.some(({ day }) => day < today) && nowUs % DAY_US > COMPACT_AGE_US * 2;
    const merged = isOver || isAsked ? group : ofOneSize(group);
    const taken = takeUpTo(merged, MERGED_BYTES);
    if (taken.length > 1) {
      return { kind: "merge", segments: taken.map(({ id }) => id), level: THOROUGH_LEVEL };
    }
  }
  return undefined;
}

/** What was written in a hurry is written again when there is time. */
function refinementOf({ segments }: MaintenanceState): MaintenanceJob | undefined {
  const hasty = segments.filter(({ level }) => level < THOROUGH_LEVEL);
  const [first] = hasty;
  if (first === undefined) {
    return undefined;
  }
  const together = hasty.filter(
    ({ partition, day }) => partition === first.partition && day === first.day,
  );
  const taken = takeUpTo(together, MERGED_BYTES);
  return { kind: "merge", segments: taken.map(({ id }) => id), level: THOROUGH_LEVEL };
}

function ofOneSize(group: readonly SegmentEntry[]): readonly SegmentEntry[] {
  const tiers = Map.groupBy(group, ({ rawBytes }) =>
    Math.floor(Math.log(Math.max(rawBytes, 1)) / Math.log(MERGE_WIDTH)),
  );
  return [...tiers.values()].find((tier) => tier.length >= MERGE_WIDTH) ?? [];
}

/** The first ones that together do not exceed a size; at least one. */
function takeUpTo(segments: readonly SegmentEntry[], bytes: number): readonly SegmentEntry[] {
  let sum = 0;
  const end = segments.findIndex(({ rawBytes }) => (sum += rawBytes) > bytes);
  return end === -1 ? segments : segments.slice(0, Math.max(end, 1));
}
