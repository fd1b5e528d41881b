import { LIMITS } from "@sluice/protocol";

/**
 * Waiting times between attempts to connect: the cap grows by half each time, from 0.5 s to 60 s, and each wait is
 * drawn evenly from 0 to the cap (full jitter, also at its end), so that a fleet whose collector
 * restarts does not come back at once. Attempts never end.
 */
export class Backoff {
  readonly #random: () => number;
  #capMs: number = LIMITS.reconnectMinMs;

  /** @param random evenly from [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt; `hopeless` failures wait as after many. */
  nextMs(isHopeless = false): number {
    const capMs = isHopeless ? LIMITS.reconnectMaxMs : this.#capMs;
    this.#capMs = Math.min(LIMITS.reconnectMaxMs, (capMs * LIMITS.reconnectGrowthPercent) / 100);
    return this.#random() * capMs;
  }

  /** A connection was welcomed. */
  reset(): void {
    this.#capMs = LIMITS.reconnectMinMs;
  }
}
