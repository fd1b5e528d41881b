import type { RecordFilter, WordCondition } from "@sluice/query";

import type { SegmentEntry } from "../manifest/manifest.ts";
import type { SegmentCache } from "../segment/segment-cache.ts";
import { SegmentError } from "../segment/segment-error.ts";
import type { SegmentFile, SegmentRun } from "../segment/segment-file.ts";
import { BlockSet } from "../token-filter/block-set.ts";
import {
  type Catalog,
  type CatalogStream,
  isVisible,
  rangeOf,
  segmentRun,
  type StoredRun,
} from "./run-catalog.ts";
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
  const wanted = wantedStreams(streams, filter);
  const labels = new Set([...streams.values()].flatMap((stream) => Object.keys(stream.labels)));
  const isLabel = (name: string): boolean => labels.has(name);
  const batches = catalog.batches.filter(
    ({ severities, stream }) => (severities & (wanted.get(stream.streamId)?.may ?? 0)) !== 0,
  );
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
    const all = BlockSet.none(file.blockCount);
    const left = BlockSet.none(file.blockCount);
    // Tens of thousands of runs are looked at for the few that are read: nothing is made of them before.
    const found: FoundRun[] = [];
    for (const run of file.runs) {
      const of = wanted.get(run.streamId);
      if (
        of === undefined ||
        run.maxTimeUs < range.fromUs ||
        run.minTimeUs >= range.untilUs ||
        run.lastBatch <= range.after ||
        run.firstBatch > range.upTo ||
        !(of.isWhole || isVisible(of.stream, run))
      ) {
        continue;
      }
      if (!(run.block >= 0 && run.block < file.blockCount)) {
        runs.push(segmentRun(path, run, of.stream)); // damage, which is told when it is read
        continue;
      }
      all.add(run.block);
      if ((run.severities & of.may) !== 0) {
        left.add(run.block);
        found.push({ run, stream: of.stream });
      }
    }
    inTimeRange += all.size;
    ofSeverity += left.size;
    const holding = readableWords(() => blocksWithWords(file, left, words, isLabel), left);
    withWords += holding.size;
    for (const { run, stream } of found) {
      if (holding.has(run.block)) {
        runs.push(segmentRun(path, run, stream));
      }
    }
  }
  return { runs, inTimeRange, ofSeverity, withWords, unreadable };
}

interface FoundRun {
  readonly run: SegmentRun;
  readonly stream: CatalogStream;
}

interface WantedStream {
  readonly stream: CatalogStream;
  /** Bit n is set where a record of severity n may match. */
  readonly may: number;
  /** Retention hides none of it. */
  readonly isWhole: boolean;
}

function wantedStreams(
  streams: Catalog["streams"],
  filter: RecordFilter,
): ReadonlyMap<number, WantedStream> {
  return new Map(
    Array.from(streams, ([id, stream]) => {
      const isWhole = stream.visibleFromUs.every((fromUs) => fromUs === Number.NEGATIVE_INFINITY);
      return [id, { stream, may: filter.severitiesOf(stream).may, isWhole }];
    }),
  );
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
function readableWords(find: () => BlockSet, blocks: BlockSet): BlockSet {
  try {
    return find();
  } catch (error) {
    if (error instanceof SegmentError) {
      return blocks;
    }
    throw error;
  }
}
