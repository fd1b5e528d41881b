/* oxlint-disable typescript/no-non-null-assertion -- hot loops over typed arrays: an index is in range by the loop's own bounds */
import { concatColumns, gatherColumns, sliceColumns } from "./record-columns.ts";
import type { Arrival, Run } from "./run.ts";

/** The records at ascending indices; undefined where there are none. */
export function selectFromRun(run: Run, indices: readonly number[]): Run | undefined {
  const { length: count } = indices;
  if (count === 0) {
    return undefined;
  }
  if (count === run.columns.count) {
    return run;
  }
  const arrivals: Arrival[] = [];
  let taken = 0;
  let end = 0;
  for (const arrival of run.arrivals) {
    end += arrival.count;
    const before = taken;
    while (taken < count && indices[taken]! < end) {
      taken++;
    }
    if (taken > before) {
      arrivals.push({ ...arrival, count: taken - before });
    }
  }
  return {
    streamId: run.streamId,
    columns: gatherColumns(run.columns, indices),
    seqs: Float64Array.from(indices, (index) => run.seqs[index]!),
    arrivals,
  };
}

/** Records from `from` to before `to`, at least one. */
export function sliceRun(run: Run, from: number, to: number): Run {
  if (from === 0 && to === run.columns.count) {
    return run;
  }
  return {
    streamId: run.streamId,
    columns: sliceColumns(run.columns, from, to),
    seqs: run.seqs.subarray(from, to),
    arrivals: sliceArrivals(run.arrivals, from, to),
  };
}

/** The arrivals of the records from `from` to before `to`. */
export function sliceArrivals(arrivals: readonly Arrival[], from: number, to: number): Arrival[] {
  const slice: Arrival[] = [];
  let start = 0;
  for (const arrival of arrivals) {
    const count = Math.min(start + arrival.count, to) - Math.max(start, from);
    if (count > 0) {
      slice.push({ ...arrival, count });
    }
    start += arrival.count;
  }
  return slice;
}

/** Runs of one stream, each behind the one before it, as one. */
export function concatRuns(runs: readonly Run[]): Run {
  const [first] = runs;
  if (first === undefined) {
    throw new RangeError("nothing to concatenate");
  }
  if (runs.length === 1) {
    return first;
  }
  const columns = concatColumns(runs.map((run) => run.columns));
  const seqs = new Float64Array(columns.count);
  const arrivals: { count: number; receivedUs: number; batchId: number }[] = [];
  let at = 0;
  for (const run of runs) {
    seqs.set(run.seqs, at);
    at += run.columns.count;
    for (const arrival of run.arrivals) {
      const last = arrivals.at(-1);
      if (last?.batchId === arrival.batchId && last.receivedUs === arrival.receivedUs) {
        last.count += arrival.count;
      } else {
        arrivals.push({ ...arrival });
      }
    }
  }
  return { streamId: first.streamId, columns, seqs, arrivals };
}
