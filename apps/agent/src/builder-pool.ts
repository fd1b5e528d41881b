import { BatchBuilder, LIMITS } from "@sluice/protocol";

/** Builders that may be filled to a whole batch at a time; the others stay small. */
const LARGE = 3;

/** How much a builder beyond those takes: hundreds of quiet files then need a few MiB together. */
const SMALL_BYTES = 64 * 1024;

/** Free builders that are kept, of those that were filled as large ones: their touched pages stay resident. */
const KEPT_LARGE = 4;

/**
 * And of the others: more than are in use at a time on a busy host. What is dropped stays allocated
 * until it is collected, and megabytes at each look at a file would keep the collector busy.
 */
const KEPT_SMALL = 256;

export interface Lease {
  readonly builder: BatchBuilder;
  /** How far the buffer may be filled with bodies. */
  readonly limitBytes: number;
  readonly isLarge: boolean;
}

/** Lends batch builders, so that what all streams buffer together stays bounded. */
export class BuilderPool {
  readonly #freeSmall: BatchBuilder[] = [];
  readonly #freeLarge: BatchBuilder[] = [];
  #large = 0;

  /** @param mustHoldBytes what the builder has to take at once, such as the beginning of a long line */
  acquire(mustHoldBytes: number): Lease {
    const builder = this.#freeSmall.pop() ?? this.#freeLarge.pop() ?? new BatchBuilder();
    return this.fit({ builder, isLarge: false, limitBytes: SMALL_BYTES }, mustHoldBytes, 0);
  }

  /**
   * The lease for what there is now, in place of the one before, with the same builder. It is large
   * where it has to be, or where there is that much to read and one is left: a quiet stream keeps
   * none from a busy one.
   *
   * @param awaitedBytes what is there to be read into it
   */
  fit(lease: Lease, mustHoldBytes: number, awaitedBytes: number): Lease {
    const isWanted = mustHoldBytes + awaitedBytes >= SMALL_BYTES && this.#large < LARGE;
    if (lease.isLarge || (!isWanted && mustHoldBytes < SMALL_BYTES)) {
      return lease;
    }
    this.#large += 1;
    return { builder: lease.builder, isLarge: true, limitBytes: LIMITS.batchRawBytes };
  }

  release(lease: Lease): void {
    this.#large -= lease.isLarge ? 1 : 0;
    lease.builder.reset();
    const [free, kept] = lease.isLarge
      ? [this.#freeLarge, KEPT_LARGE]
      : [this.#freeSmall, KEPT_SMALL];
    if (free.length < kept) {
      free.push(lease.builder);
    }
  }
}
