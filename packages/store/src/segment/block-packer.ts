import type { Run } from "../block/run.ts";
import { concatRuns, sliceRun } from "../block/run-selection.ts";
import { releaseMemory } from "../memory-release.ts";

/** Bytes of bodies in a block that is full. */
export const BLOCK_BYTES: number = 1024 * 1024;

/** A stream that has at least this much to put into a block has one of its own. */
export const OWN_BLOCK_BYTES: number = 64 * 1024;

/** A run, or a part of one that is a view of it. */
interface Piece {
  readonly run: Run;
  /** Whether the run ends with it. */
  readonly isLast: boolean;
}

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
  #own: Piece[] = [];
  #ownBytes = 0;

  /** @param emit takes the runs of a block, one a stream; their bodies are there until it returns */
  constructor(emit: (runs: readonly Run[]) => void) {
    this.#emit = emit;
  }

  /** Takes the run over: the memory of its bodies is given back as soon as they are in blocks. */
  add(run: Run): void {
    if (this.#own[0] !== undefined && this.#own[0].run.streamId !== run.streamId) {
      this.#endStream();
    }
    let rest = run;
    for (;;) {
      const { bodyOffsets, count } = rest.columns;
      const room = BLOCK_BYTES - this.#ownBytes;
      if ((bodyOffsets[count] ?? 0) < room) {
        this.#own.push({ run: rest, isLast: true });
        this.#ownBytes += rest.columns.bodies.length;
        return;
      }
      const cut = firstReaching(bodyOffsets, room);
      this.#own.push({ run: sliceRun(rest, 0, cut), isLast: cut === count });
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
      const pieces = this.#own;
      const whole = concatRuns(pieces.map(({ run }) => run));
      this.#shared.push(whole);
      this.#sharedBytes += this.#ownBytes;
      this.#own = [];
      this.#ownBytes = 0;
      release(pieces.filter(({ run }) => run !== whole));
    }
  }

  #flushOwn(): void {
    const pieces = this.#own;
    this.#own = [];
    this.#ownBytes = 0;
    const whole = concatRuns(pieces.map(({ run }) => run));
    this.#emit([whole]);
    if (pieces.length > 1) {
      releaseMemory(whole.columns.bodies);
    }
    release(pieces);
  }

  #flushShared(): void {
    const runs = this.#shared;
    this.#shared = [];
    this.#sharedBytes = 0;
    if (runs.length > 0) {
      this.#emit(runs);
      runs.forEach(({ columns }) => releaseMemory(columns.bodies));
    }
  }
}

/** What is left of a run of which nothing comes after it. */
function release(pieces: readonly Piece[]): void {
  for (const { run, isLast } of pieces) {
    if (isLast) {
      releaseMemory(run.columns.bodies);
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
