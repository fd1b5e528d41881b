import type { RateLimitSettings } from "./processing-settings.ts";

/** A time that lies so far behind the last one is a clock that was set back, not a late line. */
const SET_BACK_US = 60_000_000;

/**
 * A token bucket in the log's own time, so that a backlog, which is read much faster than it was
 * written, is not cut where the lines were within the limit.
 */
export class RateLimiter {
  readonly #linesPerUs: number;
  readonly #burst: number;
  #tokens: number;
  #clockUs = Number.NEGATIVE_INFINITY;
  /** What a line without a time of its own is behind: the last one that had one. */
  #lastTimedUs: number | undefined;
  #lastTimedReadAtUs = 0;

  constructor({ linesPerSecond, burst }: RateLimitSettings) {
    this.#linesPerUs = linesPerSecond / 1e6;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** `timeUs` is undefined where the record does not say when it was written. */
  admits(timeUs: number | undefined, readAtUs: number): boolean {
    const nowUs = this.#timeOf(timeUs, readAtUs);
    const passedUs = nowUs - this.#clockUs;
    if (passedUs > 0) {
      this.#tokens = Math.min(this.#burst, this.#tokens + passedUs * this.#linesPerUs);
      this.#clockUs = nowUs;
    } else if (passedUs < -SET_BACK_US) {
      this.#clockUs = nowUs;
    }
    if (this.#tokens < 1) {
      return false;
    }
    this.#tokens -= 1;
    return true;
  }

  #timeOf(timeUs: number | undefined, readAtUs: number): number {
    if (timeUs !== undefined) {
      // No line was written after it was read: one that says so would hold up those behind it.
      this.#lastTimedUs = Math.min(timeUs, readAtUs);
      this.#lastTimedReadAtUs = readAtUs;
      return this.#lastTimedUs;
    }
    return this.#lastTimedUs === undefined
      ? readAtUs
      : this.#lastTimedUs + (readAtUs - this.#lastTimedReadAtUs);
  }
}
