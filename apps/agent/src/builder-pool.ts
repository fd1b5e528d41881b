import { BatchBuilder, LIMITS } from "@sluice/protocol";

/** Builders that may be filled to a whole batch at a time; the others stay small. */
const LARGE = 2;

/** How much a builder beyond those takes: hundreds of quiet files then need a few MiB together. */
const SMALL_BYTES = 32 * 1024;

/** Free builders that are kept, of those that were filled as large ones: their touched pages stay resident. */
const KEPT_LARGE = 2;

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
  #largeLent = 0;

  /**
   * @param mustHoldBytes what the builder has to take at once, such as the beginning of a long line
   * @param awaitedBytes what is there to be read into it
   */
  acquire(mustHoldBytes: number, awaitedBytes: number = 0): Lease {
    if (this.#mayBeLarge(mustHoldBytes, awaitedBytes)) {
      return this.#large(this.#freeLarge.pop() ?? this.#freeSmall.pop() ?? new BatchBuilder());
    }
    const builder = this.#freeSmall.pop() ?? new BatchBuilder();
    return { builder, isLarge: false, limitBytes: SMALL_BYTES };
  }

  /**
   * The lease for what there is now, in place of the one before. It is large where it has to be, or
   * where there is that much to read and one is left: a quiet stream keeps none from a busy one. It
   * has the same builder where that holds anything; else one that was large before, if there is one,
   * so that streams which take turns do not fill every builder's pages.
   *
   * @param mustHoldBytes 0 where the builder holds nothing
   */
  fit(lease: Lease, mustHoldBytes: number, awaitedBytes: number): Lease {
    if (lease.isLarge || !this.#mayBeLarge(mustHoldBytes, awaitedBytes)) {
      return lease;
    }
    const other = mustHoldBytes === 0 ? this.#freeLarge.pop() : undefined;
    if (other !== undefined) {
      this.release(lease);
    }
    return this.#large(other ?? lease.builder);
  }

  release(lease: Lease): void {
    this.#largeLent -= lease.isLarge ? 1 : 0;
    lease.builder.reset();
    const [free, kept] = lease.isLarge
      ? [this.#freeLarge, KEPT_LARGE]
      : [this.#freeSmall, KEPT_SMALL];
    if (free.length < kept) {
      free.push(lease.builder);
    }
  }

  #mayBeLarge(mustHoldBytes: number, awaitedBytes: number): boolean {
    const isWanted = mustHoldBytes + awaitedBytes >= SMALL_BYTES && this.#largeLent < LARGE;
    return isWanted || mustHoldBytes >= SMALL_BYTES;
  }

  #large(builder: BatchBuilder): Lease {
    this.#largeLent += 1;
    return { builder, isLarge: true, limitBytes: LIMITS.batchRawBytes };
  }
}
