import type { Run } from "../block/run.ts";
import { concatRuns, sliceRun } from "../block/run-selection.ts";
import { releaseMemory } from "../memory-release.ts";

/** Bytes of bodies in a block that is full. */
export const BLOCK_BYTES: number = 1024 * 1024;

/** A stream that has at least this much to put into a block has one of its own. */
export const OWN_BLOCK_BYTES: number = 64 * 1024;

/**
 * Gathers runs into blocks of about `BLOCK_BYTES`. What a stream has less of than `OWN_BLOCK_BYTES`
 * stands together with other streams in a block, one after the other. Streams come one after the
 * other, the runs of each in the order of their sequence numbers.
 */
export class BlockPacker {
  readonly #emit: (runs: readonly Run[]) => void;
  /** Those of streams that are complete, each with little. */
  #shared: Run[] = [];
  #sharedBytes = 0;
  #own: Run[] = [];
  #ownBytes = 0;

  /** @param emit takes the runs of a block, one a stream; their bodies are there until it returns */
  constructor(emit: (runs: readonly Run[]) => void) {
    this.#emit = emit;
  }

  add(run: Run): void {
    if (this.#own[0] !== undefined && this.#own[0].streamId !== run.streamId) {
      this.#endStream();
    }
    let rest = run;
    for (;;) {
      const { bodyOffsets, count } = rest.columns;
      const room = BLOCK_BYTES - this.#ownBytes;
      if ((bodyOffsets[count] ?? 0) < room) {
        this.#own.push(rest);
        this.#ownBytes += rest.columns.bodies.length;
        return;
      }
      const cut = firstReaching(bodyOffsets, room);
      this.#own.push(sliceRun(rest, 0, cut));
      this.#flushOwn();
      if (cut === count) {
        return;
      }
      rest = sliceRun(rest, cut, count);
    }
  }

  /** Emits what has gathered. */
  flush(): void {
    this.#endStream();
    this.#flushShared();
  }

  #endStream(): void {
    if (this.#ownBytes >= OWN_BLOCK_BYTES) {
      this.#flushOwn();
      return;
    }
    if (this.#sharedBytes + this.#ownBytes > BLOCK_BYTES) {
      this.#flushShared();
    }
    if (this.#own.length > 0) {
      this.#shared.push(concatRuns(this.#own));
      this.#sharedBytes += this.#ownBytes;
      this.#own = [];
      this.#ownBytes = 0;
    }
  }

  #flushOwn(): void {
    const runs = this.#own;
    this.#own = [];
    this.#ownBytes = 0;
    const whole = concatRuns(runs);
    this.#emit([whole]);
    if (runs.length > 1) {
      releaseMemory(whole.columns.bodies);
    }
  }

  #flushShared(): void {
    const runs = this.#shared;
    this.#shared = [];
    this.#sharedBytes = 0;
    if (runs.length > 0) {
      this.#emit(runs);
    }
  }
}

/** Records, at least one, that together reach so many bytes. */
function firstReaching(bodyOffsets: Uint32Array, bytes: number): number {
  let low = 1;
  let high = bodyOffsets.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bodyOffsets[middle] ?? 0) >= bytes) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
