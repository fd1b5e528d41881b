import type { RecordFilter, WordCondition } from "@sluice/query";

import type { SegmentCache } from "../segment/segment-cache.ts";
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
}

/** Lists what a search has to read of the segments and of the head, without decompressing any of it. */
export function planRuns(
  catalog: Catalog,
  request: SearchRequest,
  filter: RecordFilter,
  words: WordCondition,
  segments: SegmentCache,
  checkpoint: () => void,
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
  for (const { path } of catalog.segments) {
    checkpoint();
    const file = segments.get(path);
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
    const holding = left.size === 0 ? left : blocksWithWords(file, left, words, isLabel);
    withWords += holding.size;
    for (const run of found) {
      if (run.place.kind === "block" && holding.has(run.place.run.block)) {
        runs.push(run);
      }
    }
  }
  return { runs, inTimeRange, ofSeverity, withWords };
}
