import type { SegmentRun } from "../segment/segment-file.ts";

/** What the runs of a segment, or of a stream in it, come to: as the manifest counts it. */
export interface RunsSum {
  readonly records: number;
  readonly bodyBytes: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  readonly firstReceivedUs: number;
  readonly lastReceivedUs: number;
  readonly firstBatch: number;
  readonly lastBatch: number;
  readonly severities: number;
}

export function sumOfRuns(runs: readonly SegmentRun[]): RunsSum {
  const sum = {
    records: 0,
    bodyBytes: 0,
    minTimeUs: Number.POSITIVE_INFINITY,
    maxTimeUs: Number.NEGATIVE_INFINITY,
    firstReceivedUs: Number.POSITIVE_INFINITY,
    lastReceivedUs: Number.NEGATIVE_INFINITY,
    firstBatch: Number.POSITIVE_INFINITY,
    lastBatch: Number.NEGATIVE_INFINITY,
    severities: 0,
  };
  for (const run of runs) {
    sum.records += run.count;
    sum.bodyBytes += run.bodyBytes;
    sum.minTimeUs = Math.min(sum.minTimeUs, run.minTimeUs);
    sum.maxTimeUs = Math.max(sum.maxTimeUs, run.maxTimeUs);
    sum.firstReceivedUs = Math.min(sum.firstReceivedUs, run.firstReceivedUs);
    sum.lastReceivedUs = Math.max(sum.lastReceivedUs, run.lastReceivedUs);
    sum.firstBatch = Math.min(sum.firstBatch, run.firstBatch);
    sum.lastBatch = Math.max(sum.lastBatch, run.lastBatch);
    sum.severities |= run.severities;
  }
  return sum;
}
