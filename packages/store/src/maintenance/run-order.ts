import type { Run } from "../block/run.ts";
import { sliceRun } from "../block/run-selection.ts";

/**
 * Puts runs of several segments in the order of their sequence numbers. Those of one stream overlap
 * where a policy has kept some of its records in a partition of their own, and another policy brings
 * them together again. Holds as many runs as overlap at one place: one a segment at the most.
 */
export class RunOrder {
  /** Of one stream; what comes next begins behind none of them. */
  #held: Run[] = [];

  /** Takes runs by stream, and of each stream by first sequence number. Gives what comes before this one. */
  *push(run: Run): Generator<Run> {
    if (this.#held[0]?.streamId !== run.streamId) {
      yield* this.flush();
    }
    yield* this.#before(firstSeq(run));
    this.#held.push(run);
  }

  /** Gives what is left. */
  *flush(): Generator<Run> {
    yield* this.#before(Number.POSITIVE_INFINITY);
  }

  *#before(end: number): Generator<Run> {
    for (;;) {
      this.#held.sort((a, b) => firstSeq(a) - firstSeq(b));
      const [run, next] = this.#held;
      if (run === undefined || firstSeq(run) >= end) {
        return;
      }
      const bound = next === undefined ? end : Math.min(end, firstSeq(next));
      const cut = countBelow(run.seqs, bound);
      if (cut === 0) {
        throw new Error(`record ${run.streamId}-${firstSeq(run)} is stored twice`);
      }
      this.#held.shift();
      if (cut < run.columns.count) {
        this.#held.push(sliceRun(run, cut, run.columns.count));
      }
      yield sliceRun(run, 0, cut);
    }
  }
}

function firstSeq({ seqs }: Run): number {
  return seqs[0] ?? 0;
}

/** How many of ascending numbers are below a bound. */
function countBelow(seqs: Float64Array, bound: number): number {
  let low = 0;
  let high = seqs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seqs[middle] ?? 0) < bound) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
