/** Long enough to see through pauses between bursts, short enough for a burst to count. */
const HALF_LIFE_MS = 5_000;

/** Bytes per second as they have been lately: older ones weigh half as much every five seconds. Pure. */
export class IngestRate {
  #perSecond = 0;
  #newBytes = 0;
  #lastMs: number;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  add(bytes: number): void {
    this.#newBytes += bytes;
  }

  perSecond(nowMs: number): number {
    const elapsedMs = nowMs - this.#lastMs;
    if (elapsedMs > 0) {
      const kept = 0.5 ** (elapsedMs / HALF_LIFE_MS);
      this.#perSecond = this.#perSecond * kept + ((this.#newBytes * 1000) / elapsedMs) * (1 - kept);
      this.#newBytes = 0;
      this.#lastMs = nowMs;
    }
    return this.#perSecond;
  }
}
