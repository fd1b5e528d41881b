import type { BatchBuilder } from "@sluice/protocol";

import type { BuilderPool, Lease } from "./builder-pool.ts";

/**
 * The builder that a pump fills, on loan from the pool. A stream that waits and has nothing to be
 * sent holds none: there may be thousands.
 */
export class PumpLease implements Disposable {
  readonly #pool: BuilderPool;
  #lease: Lease;
  #isHeld = true;
  #isReading = false;
  #isResting = false;

  constructor(pool: BuilderPool) {
    this.#pool = pool;
    this.#lease = pool.acquire(0);
  }

  get builder(): BatchBuilder {
    return this.#lease.builder;
  }

  /** How far the builder's buffer may be filled with bodies. */
  get limitBytes(): number {
    return this.#lease.limitBytes;
  }

  get hasRecords(): boolean {
    return this.#isHeld && this.builder.count > 0;
  }

  /** It has records, and nothing is under way that could still move their bytes. */
  get canSeal(): boolean {
    return this.hasRecords && !this.#isReading;
  }

  /** Makes room for what the builder has to take at once, and for as much of what awaits as may be. */
  fit(mustHoldBytes: number, awaitedBytes: number): void {
    this.#lease = this.#pool.fit(this.#lease, mustHoldBytes, awaitedBytes);
  }

  /** Nothing is sealed until the read is over. */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    this.#isReading = true;
    try {
      return await read();
    } finally {
      this.#isReading = false;
    }
  }

  /** Waits; where nothing is in the builder, without one. */
  async rest(isEmpty: boolean, wait: () => Promise<void>): Promise<void> {
    this.#isResting = true;
    if (isEmpty) {
      this.#pool.release(this.#lease);
      this.#isHeld = false;
    }
    try {
      await wait();
    } finally {
      this.#isResting = false;
      if (!this.#isHeld) {
        this.#lease = this.#pool.acquire(0);
        this.#isHeld = true;
      }
    }
  }

  /**
   * Hands the lease over and takes another, where there is anything to be put into it yet.
   *
   * @param awaitedBytes what is there to be read into the other one
   */
  exchange(rest: Uint8Array, awaitedBytes: number): Lease {
    const filled = this.#lease;
    if (this.#isResting && rest.length === 0) {
      this.#isHeld = false;
    } else {
      this.#lease = this.#pool.acquire(rest.length, awaitedBytes);
      this.builder.buffer.set(rest);
    }
    return filled;
  }

  [Symbol.dispose](): void {
    this.#pool.release(this.#lease);
  }
}
