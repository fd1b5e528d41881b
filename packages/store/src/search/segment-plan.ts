import type { RecordFilter, WordCondition } from "@sluice/query";

import type { SegmentEntry } from "../manifest/manifest.ts";
import type { SegmentCache } from "../segment/segment-cache.ts";
import { SegmentError, type SegmentFile } from "../segment/segment-file.ts";
import { type Catalog, isVisible, rangeOf, segmentRun, type StoredRun } from "./run-catalog.ts";
import type { SearchRequest } from "./search-request.ts";
import { blocksWithWords } from "./word-filter.ts";

/** What each step of planning has left. */
export interface PlannedRuns {
  readonly runs: readonly StoredRun[];
  /** Blocks and batches of the wanted streams in the time range. */
  readonly inTimeRange: number;
  /** Of those, with a severity that can match. */
  readonly ofSeverity: number;
  /** Of those, that may hold the words. */
  readonly withWords: number;
  /** Blocks of segments that cannot be opened: whatever they hold is missing from the answer. */
  readonly unreadable: number;
}

export interface PlanOptions {
  /** Whether a segment that is not on the disk should be there. */
  readonly isMissing: (entry: SegmentEntry) => boolean;
  /** Throws to end the search; called before each segment. */
  readonly checkpoint: () => void;
}

/**
 * Lists what a search has to read of the segments and of the head, without decompressing any of it.
 *
 * @throws SegmentError `gone` where a segment was removed since the catalog was read
 */
export function planRuns(
  catalog: Catalog,
  request: SearchRequest,
  filter: RecordFilter,
  words: WordCondition,
  segments: SegmentCache,
  { isMissing, checkpoint }: PlanOptions,
): PlannedRuns {
  const { streams, moment } = catalog;
  const range = rangeOf(request, moment.highWater);
  const mayMatch = (run: StoredRun): boolean =>
    (run.severities & filter.severitiesOf(run.stream).may) !== 0;
  const labels = new Set([...streams.values()].flatMap((stream) => Object.keys(stream.labels)));
  const isLabel = (name: string): boolean => labels.has(name);
  const batches = catalog.batches.filter(mayMatch);
  const runs = [...batches];
  let inTimeRange = catalog.batches.length;
  let ofSeverity = batches.length;
  let withWords = batches.length;
  let unreadable = 0;
  for (const entry of catalog.segments) {
    checkpoint();
    const { path } = entry;
    const file = openSegment(segments, entry, isMissing);
    if (file === undefined) {
      unreadable += entry.blocks;
      continue;
    }
    const all = new Set<number>();
    const left = new Set<number>();
    const found: StoredRun[] = [];
    for (const stored of file.runs) {
      const stream = streams.get(stored.streamId);
      const isInRange =
        stored.maxTimeUs >= range.fromUs &&
        stored.minTimeUs < range.untilUs &&
        stored.lastBatch > range.after &&
        stored.firstBatch <= range.upTo;
      if (stream === undefined || !isInRange) {
        continue;
      }
      const run = segmentRun(path, stored, stream);
      if (isVisible(run)) {
        all.add(stored.block);
        if (mayMatch(run)) {
          left.add(stored.block);
          found.push(run);
        }
      }
    }
    inTimeRange += all.size;
    ofSeverity += left.size;
    const holding =
      left.size === 0
        ? left
        : readableWords(() => blocksWithWords(file, left, words, isLabel), left);
    withWords += holding.size;
    for (const run of found) {
      if (run.place.kind === "block" && holding.has(run.place.run.block)) {
        runs.push(run);
      }
    }
  }
  return { runs, inTimeRange, ofSeverity, withWords, unreadable };
}

/** Undefined where what it holds cannot be told; one such segment is no reason to answer nothing of the others. */
function openSegment(
  segments: SegmentCache,
  entry: SegmentEntry,
  isMissing: (entry: SegmentEntry) => boolean,
): SegmentFile | undefined {
  try {
    const file = segments.get(entry.path);
    return file.runs.length === 0 ? undefined : file;
  } catch (error) {
    if (error instanceof SegmentError && (error.code !== "gone" || isMissing(entry))) {
      return undefined;
    }
    throw error;
  }
}

/** A filter that cannot be read rules nothing out. */
function readableWords(
  find: () => ReadonlySet<number>,
  blocks: ReadonlySet<number>,
): ReadonlySet<number> {
  try {
    return find();
  } catch (error) {
    if (error instanceof SegmentError) {
      return blocks;
    }
    throw error;
  }
}
