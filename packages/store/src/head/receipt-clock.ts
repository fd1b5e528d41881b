import type { HeadDatabase } from "./head-file.ts";

/** Gives out receipt times, microseconds since the epoch, which never decrease over all that a head has seen. */
export class ReceiptClock {
  #lastUs: number;

  constructor(db: HeadDatabase) {
    // Not of the batches: they may all have been pruned.
    const last: unknown = db
      .prepare(
        `SELECT max(last_us) FROM (SELECT max(last_received_us) AS last_us FROM streams
         UNION ALL SELECT max(received_us) FROM gaps
         UNION ALL SELECT max(received_us) + 1 FROM deletes WHERE is_replay = 0)`,
      )
      .pluck()
      .get();
    this.#lastUs = typeof last === "number" ? last : 0;
  }

  get lastUs(): number {
    return this.#lastUs;
  }

  /** @param clockUs the machine's, which may go back */
  next(clockUs: number): number {
    this.#lastUs = Math.max(this.#lastUs, clockUs);
    return this.#lastUs;
  }

  /** The last one that was given out; the next one is later. */
  close(): number {
    this.#lastUs += 1;
    return this.#lastUs - 1;
  }
}
