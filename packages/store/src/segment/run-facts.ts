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
  const times = boundsOf(columns.timesUs);
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
  const received = boundsOf(arrivals.map(({ receivedUs }) => receivedUs));
  const batches = boundsOf(arrivals.map(({ batchId }) => batchId));
  return {
    streamId,
    count: columns.count,
    firstSeq: seqs[0] ?? 0,
    lastSeq: seqs.at(-1) ?? 0,
    minTimeUs: times.min,
    maxTimeUs: times.max,
    firstReceivedUs: received.min,
    lastReceivedUs: received.max,
    firstBatch: batches.min,
    lastBatch: batches.max,
    severities,
    severityCounts,
    bodyBytes: columns.bodies.length,
  };
}

/** Not `Math.min(...values)`: a block may hold more of them than a call takes arguments. */
function boundsOf(values: Iterable<number>): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    min = value < min ? value : min;
    max = value > max ? value : max;
  }
  return { min, max };
}
