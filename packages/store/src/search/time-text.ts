const DAY_US = 86_400_000_000;
const HOUR_US = 3_600_000_000;
const MINUTE_US = 60_000_000;
const SECOND_US = 1_000_000;

const TWO_DIGITS: readonly string[] = padded(100, 2);
const THREE_DIGITS: readonly string[] = padded(1000, 3);

/**
 * Times as `formatTimeRfc3339` prints them in UTC, for many rows in a row: the text of the day is
 * kept, since rows come nearly in order, and the rest is looked up.
 */
export class TimeText {
  #day = Number.NaN;
  #dayText = "";

  /** @param timeUs whole microseconds since 1970, of the years 0 to 9999 */
  of(timeUs: number): string {
    const day = Math.floor(timeUs / DAY_US);
    if (day !== this.#day) {
      this.#day = day;
      this.#dayText = new Date(day * (DAY_US / 1000)).toISOString().slice(0, 11);
    }
    let restUs = timeUs - day * DAY_US;
    const hours = Math.floor(restUs / HOUR_US);
    restUs -= hours * HOUR_US;
    const minutes = Math.floor(restUs / MINUTE_US);
    restUs -= minutes * MINUTE_US;
    const seconds = Math.floor(restUs / SECOND_US);
    restUs -= seconds * SECOND_US;
    const clock = `${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes]}:${TWO_DIGITS[seconds]}`;
    return `${this.#dayText}${clock}.${THREE_DIGITS[Math.floor(restUs / 1000)]}${THREE_DIGITS[restUs % 1000]}Z`;
  }
}

function padded(count: number, digits: number): string[] {
  return Array.from({ length: count }, (_, n) => String(n).padStart(digits, "0"));
}
