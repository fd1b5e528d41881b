/**
 * The zone of times that name none: the host's own (`"local"`, daylight saving included), or a
 * fixed number of minutes east of UTC (-1439..1439).
 */
export type ZoneOption = "local" | number;

// Every zone has changed its clocks on a quarter of an hour since 1970.
const BUCKET_US = 15 * 60 * 1_000_000;

/** Turns wall-clock times without a zone into offsets from UTC, with one `Date` per quarter hour. */
export class Zone {
  readonly #fixedUs: number;
  readonly #local: boolean;
  #bucket = -1;
  #offsetUs = 0.5;

  /** Throws a RangeError for an offset that is not a whole number of minutes below a day. */
  constructor(option: ZoneOption) {
    this.#local = option === "local";
    const minutes = option === "local" ? 0 : option;
    if (!Number.isInteger(minutes) || Math.abs(minutes) >= 1440) {
      throw new RangeError(
        `zone must be "local" or whole minutes east of UTC within a day, got ${option}`,
      );
    }
    this.#fixedUs = minutes * 60_000_000;
  }

  /**
   * What to subtract from a wall-clock time (microseconds, read as if it were UTC) to get UTC.
   * A time that a clock showed twice in autumn is taken as its first showing; one skipped in
   * spring as if the clock had not been moved yet. Both are what `Date` does.
   */
  offsetUs(wallUs: number): number {
    if (!this.#local) return this.#fixedUs;
    const bucket = Math.floor(wallUs / BUCKET_US);
    if (bucket !== this.#bucket) {
      const wall = new Date((bucket * BUCKET_US) / 1000);
      const local = new Date(
        wall.getUTCFullYear(),
        wall.getUTCMonth(),
        wall.getUTCDate(),
        wall.getUTCHours(),
        wall.getUTCMinutes(),
      );
      this.#bucket = bucket;
      this.#offsetUs = (wall.getTime() - local.getTime()) * 1000;
    }
    return this.#offsetUs;
  }
}
