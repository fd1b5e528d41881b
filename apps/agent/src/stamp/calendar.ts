/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
/** Microseconds in a minute and in a day. */
export const MINUTE_US = 60_000_000;
export const DAY_US = 86_400_000_000;

/** The years whose every microsecond is a safe integer since the epoch. */
const MIN_YEAR = 1970;
const MAX_YEAR = 2254;

const MONTH_DAYS = Uint8Array.of(31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

/** Whether a byte is an ASCII digit. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** The number 0-99 that two digits at `at` write, or -1. Both bytes must lie inside the buffer. */
export function twoDigits(buffer: Uint8Array, at: number): number {
  const tens = buffer[at]! - 0x30;
  const ones = buffer[at + 1]! - 0x30;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

/** The number 0-9999 that four digits at `at` write, or -1. The bytes must lie inside the buffer. */
export function fourDigits(buffer: Uint8Array, at: number): number {
  const high = twoDigits(buffer, at);
  const low = twoDigits(buffer, at + 2);
  return high < 0 || low < 0 ? -1 : high * 100 + low;
}

/**
 * The month 1-12 that a three-letter English name at `at` stands for (`Nov`, capitalised as every
 * log form writes it), or 0. The three bytes must lie inside the buffer.
 */
export function monthNamed(buffer: Uint8Array, at: number): number {
  switch ((buffer[at]! << 16) | (buffer[at + 1]! << 8) | buffer[at + 2]!) {
    case 0x4a616e:
      return 1;
    case 0x466562:
      return 2;
    case 0x4d6172:
      return 3;
    case 0x417072:
      return 4;
    case 0x4d6179:
      return 5;
    case 0x4a756e:
      return 6;
    case 0x4a756c:
      return 7;
    case 0x417567:
      return 8;
    case 0x536570:
      return 9;
    case 0x4f6374:
      return 10;
    case 0x4e6f76:
      return 11;
    case 0x446563:
      return 12;
    default:
      return 0;
  }
}

/**
 * Days from 1970-01-01 to a date of the Gregorian calendar, which must exist.
 * Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
 */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/**
 * Microseconds from the epoch to a minute on a wall clock, read as if that clock showed UTC.
 * -1 when there is no such minute: a month 13, a 30 February, an hour 24, or a year outside
 * 1970..2254.
 */
export function wallMinuteUs(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
): number {
  if (year < MIN_YEAR || year > MAX_YEAR || month < 1 || month > 12 || day < 1) return -1;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return -1;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > MONTH_DAYS[month - 1]! + (leap ? 1 : 0)) return -1;
  return (daysFromCivil(year, month, day) * 1440 + hour * 60 + minute) * MINUTE_US;
}
