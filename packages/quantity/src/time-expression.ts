import { parseDuration } from "./duration.ts";
import { err, ok } from "./result.ts";
import type { Result } from "./result.ts";
import { isTimeUs } from "./time.ts";
import type { TimeUs, Zone } from "./time.ts";

export interface TimeContext {
  readonly nowUs: TimeUs;
  /** Where dates and clock times without an offset are read. */
  readonly zone: Zone;
}

interface CalendarDay {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

const EXPECTED =
  "expected a time such as 1h (ago), yesterday, 08:00, 2026-11-22, 2026-11-22T08:00:00Z or @1732270000";
const FIRST_YEAR = 1684;
const LAST_YEAR = 2255;
const OUT_OF_RANGE = "the time is out of range (years 1684 to 2255)";
const EPOCH = /^@(-?)(\d{1,12})(?:\.(\d{1,9}))?$/;
const CALENDAR =
  /^(?:(?:(\d{4})-(\d{2})-(\d{2})|(today|yesterday))(?:[ t]+(?=\d)|$))?(?:(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(z|[+-]\d{2}:?\d{2})?$/;

/**
 * Reads what `--since` and `--until` take. Case does not matter.
 *
 * - a duration (`1h`, `2d`): that long ago, in elapsed time, so that `1d` is 24 hours also across a clock change;
 * - `now`, `today`, `yesterday` (their midnight), `yesterday 08:00`, `08:00` (today);
 * - `2026-11-22`, `2026-11-22 08:00`, `2026-11-22 08:00:15.123456`, with `T` for the space as well;
 * - the same with `Z` or an offset (RFC 3339);
 * - `@1732270000`, `@-12.5`: seconds since the epoch.
 *
 * Digits beyond microseconds are dropped. A local time that a clock change skips is read with the offset from before
 * the change; one that occurs twice is the first of the two (ECMAScript's rule for local times).
 */
export function parseTimeExpression(text: string, context: TimeContext): Result<TimeUs> {
  const expression = text.trim().toLowerCase();
  if (expression === "now") {
    return ok(context.nowUs);
  }
  const duration = parseDuration(expression);
  if (duration.ok) {
    return inRange(context.nowUs - duration.value * 1000);
  }
  const epoch = EPOCH.exec(expression);
  if (epoch !== null) {
    const [, sign, seconds = "", fraction] = epoch;
    const sinceUs = Number(seconds) * 1_000_000 + fractionUs(fraction);
    return inRange(sign === "-" ? -sinceUs : sinceUs);
  }
  return parseCalendarTime(expression, context);
}

function parseCalendarTime(expression: string, context: TimeContext): Result<TimeUs> {
  const match = expression === "" ? null : CALENDAR.exec(expression);
  if (match === null) {
    return err(EXPECTED);
  }
  const [, year, month, day, word, hour, minute, second, fraction, offset] = match;
  if (offset !== undefined && (year === undefined || hour === undefined)) {
    return err(`${EXPECTED}; an offset needs a date and a time before it`);
  }
  const date: CalendarDay =
    year === undefined
      ? relativeDay(word === "yesterday" ? -1 : 0, context)
      : { year: Number(year), month: Number(month), day: Number(day) };
  // This also keeps out the years 0 to 99, which Date would take for 1900 to 1999.
  if (date.year < FIRST_YEAR || date.year > LAST_YEAR) {
    return err(OUT_OF_RANGE);
  }
  if (!isCalendarDay(date)) {
    return err(`there is no day ${year}-${month}-${day}`);
  }
  const [h, m, s] = [Number(hour ?? 0), Number(minute ?? 0), Number(second ?? 0)];
  if (h > 23 || m > 59 || s > 59) {
    return err(`there is no time ${hour}:${minute}${second === undefined ? "" : `:${second}`}`);
  }
  const offsetMinutes = parseOffset(offset);
  if (offsetMinutes === "invalid") {
    return err(`there is no offset ${offset}`);
  }
  const zone = offsetMinutes === undefined ? context.zone : "utc";
  const wholeMs = epochMs(date, h, m, s, zone) - (offsetMinutes ?? 0) * 60_000;
  return inRange(wholeMs * 1000 + fractionUs(fraction));
}

function relativeDay(days: number, context: TimeContext): CalendarDay {
  const now = new Date(Math.floor(context.nowUs / 1000));
  // The day is moved on the calendar, not by 24 hours, which a clock change would make the wrong day.
  const shown =
    context.zone === "utc"
      ? new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days))
      : new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate() + days));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
  };
}

function isCalendarDay({ year, month, day }: CalendarDay): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function epochMs(date: CalendarDay, h: number, m: number, s: number, zone: Zone): number {
  return zone === "utc"
    ? Date.UTC(date.year, date.month - 1, date.day, h, m, s)
    : new Date(date.year, date.month - 1, date.day, h, m, s).getTime();
}

function parseOffset(offset: string | undefined): number | undefined | "invalid" {
  if (offset === undefined) {
    return undefined;
  }
  if (offset === "z") {
    return 0;
  }
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(-2));
  if (hours > 23 || minutes > 59) {
    return "invalid";
  }
  return (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

function fractionUs(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits.slice(0, 6).padEnd(6, "0"));
}

function inRange(us: number): Result<TimeUs> {
  return isTimeUs(us) ? ok(us) : err(OUT_OF_RANGE);
}
