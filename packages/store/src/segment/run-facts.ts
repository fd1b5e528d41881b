import type { Run } from "../block/run.ts";

/** What planning asks of a run, computed from its records. */
export interface RunFacts {
  readonly streamId: number;
  readonly count: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  readonly firstReceivedUs: number;
  readonly lastReceivedUs: number;
  readonly firstBatch: number;
  readonly lastBatch: number;
  /** Bit n is set when a record of severity n is among them. */
  readonly severities: number;
  /** [severity, count, severity, count, ...], ascending. */
  readonly severityCounts: readonly number[];
  /** Of the bodies, each with its LF. */
  readonly bodyBytes: number;
}

const SEVERITIES = 25;

export function runFacts({ streamId, columns, seqs, arrivals }: Run): RunFacts {
  let minTimeUs = Number.POSITIVE_INFINITY;
  let maxTimeUs = Number.NEGATIVE_INFINITY;
  for (const timeUs of columns.timesUs) {
    minTimeUs = timeUs < minTimeUs ? timeUs : minTimeUs;
    maxTimeUs = timeUs > maxTimeUs ? timeUs : maxTimeUs;
  }
  const counts = new Uint32Array(SEVERITIES);
  for (const severity of columns.severities) {
    counts[severity] = (counts[severity] ?? 0) + 1;
  }
  let severities = 0;
  const severityCounts: number[] = [];
  for (const [severity, count] of counts.entries()) {
    if (count > 0) {
      severities |= 1 << severity;
      severityCounts.push(severity, count);
    }
  }
  const received = arrivals.map(({ receivedUs }) => receivedUs);
  const batches = arrivals.map(({ batchId }) => batchId);
  return {
    streamId,
    count: columns.count,
    firstSeq: seqs[0] ?? 0,
    lastSeq: seqs.at(-1) ?? 0,
    minTimeUs,
    maxTimeUs,
    firstReceivedUs: Math.min(...received),
    lastReceivedUs: Math.max(...received),
    firstBatch: Math.min(...batches),
    lastBatch: Math.max(...batches),
    severities,
    severityCounts,
    bodyBytes: columns.bodies.length,
  };
}
