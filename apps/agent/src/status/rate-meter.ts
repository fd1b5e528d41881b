/** The span over which a rate is averaged: the last seconds weigh most. */
const SPAN_MS = 10_000;

/** Amounts per second over about the last ten seconds, at three numbers a meter. */
export class RateMeter {
  #perSecond = 0;
  #atMs: number | undefined;
  #sinceMs = 0;

  add(amount: number, nowMs: number): void {
    this.#decay(nowMs);
    this.#perSecond += (amount * 1_000) / SPAN_MS;
  }

  perSecond(nowMs: number): number {
    this.#decay(nowMs);
    const ageMs = nowMs - this.#sinceMs;
    // What has not run for the whole span yet is an average over the time that it has.
    return this.#perSecond / (1 - Math.exp(-Math.max(ageMs, 1_000) / SPAN_MS));
  }

  #decay(nowMs: number): void {
    if (this.#atMs === undefined) {
      this.#sinceMs = nowMs;
    } else {
      this.#perSecond *= Math.exp(-(nowMs - this.#atMs) / SPAN_MS);
    }
    this.#atMs = nowMs;
  }
}
