import { BatchBuilder, LIMITS } from "@sluice/protocol";

/** Builders that may be filled to a whole batch at a time; the others stay small. */
const LARGE = 3;

/** How much a builder beyond those takes: hundreds of quiet files then need a few MiB together. */
const SMALL_BYTES = 64 * 1024;

/** Free builders that are kept; their touched pages stay resident. */
const KEPT = 4;

export interface Lease {
  readonly builder: BatchBuilder;
  /** How far the buffer may be filled with bodies. */
  readonly limitBytes: number;
  readonly isLarge: boolean;
}

/** Lends batch builders, so that what all streams buffer together stays bounded. */
export class BuilderPool {
  readonly #free: BatchBuilder[] = [];
  #large = 0;

  /** @param mustHoldBytes what the builder has to take at once, such as the beginning of a long line */
  acquire(mustHoldBytes: number): Lease {
    const builder = this.#free.pop() ?? new BatchBuilder();
    const isLarge = this.#large < LARGE || mustHoldBytes >= SMALL_BYTES;
    this.#large += isLarge ? 1 : 0;
    return { builder, isLarge, limitBytes: isLarge ? LIMITS.batchRawBytes : SMALL_BYTES };
  }

  release(lease: Lease): void {
    this.#large -= lease.isLarge ? 1 : 0;
    lease.builder.reset();
    if (this.#free.length < KEPT) {
      this.#free.push(lease.builder);
    }
  }
}
