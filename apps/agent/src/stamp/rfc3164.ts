/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
import { DAY_US, monthNamed, twoDigits, wallMinuteUs } from "./calendar.ts";
import type { MinuteText } from "./minute-text.ts";
import { KIND, LETTER } from "./minute-text.ts";
import type { Zone } from "./zone.ts";

/** How far ahead of the reading clock a time without a year may lie: clocks and zones disagree. */
export const MAX_AHEAD_US: number = DAY_US;

/** RFC 3164, `Nov 22 08:00:`, `Jun  9 06:06:` or `Jun 9 06:06:`. Returns as `readMinuteText` does. */
export function readRfc3164(buffer: Uint8Array, at: number, end: number, out: MinuteText): number {
  if (end - at < 14 || buffer[at + 3] !== 0x20) return 0;
  out.month = monthNamed(buffer, at);
  if (out.month === 0) return 0;
  let clock = at + 7;
  if (buffer[at + 4] === 0x20) {
    out.day = buffer[at + 5]! - 0x30;
  } else if (buffer[at + 5] === 0x20) {
    out.day = buffer[at + 4]! - 0x30;
    clock = at + 6;
  } else {
    out.day = twoDigits(buffer, at + 4);
  }
  return readYearlessClock(buffer, at, clock, end, out, LETTER.none);
}

/** Android's logcat, `03-17 16:13:`. Returns as `readMinuteText` does. */
export function readMonthDay(buffer: Uint8Array, at: number, end: number, out: MinuteText): number {
  out.month = twoDigits(buffer, at);
  out.day = twoDigits(buffer, at + 3);
  return readYearlessClock(buffer, at, at + 6, end, out, LETTER.logcat);
}

/** glog and klog, severity letter first: `E1122 08:00:`. Returns as `readMinuteText` does. */
export function readGlog(buffer: Uint8Array, at: number, end: number, out: MinuteText): number {
  const letter = buffer[at]!;
  if (letter !== 0x49 && letter !== 0x57 && letter !== 0x45 && letter !== 0x46) return 0;
  out.month = twoDigits(buffer, at + 1);
  out.day = twoDigits(buffer, at + 3);
  return readYearlessClock(buffer, at, at + 6, end, out, LETTER.glog);
}

/** ` hh:mm:` of a form without a year; the space lies one byte before `clock`. */
function readYearlessClock(
  buffer: Uint8Array,
  at: number,
  clock: number,
  end: number,
  out: MinuteText,
  letter: MinuteText["letter"],
): number {
  if (end - clock < 8 || buffer[clock - 1] !== 0x20) return 0;
  if (buffer[clock + 2] !== 0x3a || buffer[clock + 5] !== 0x3a) return 0;
  out.hour = twoDigits(buffer, clock);
  out.minute = twoDigits(buffer, clock + 3);
  // 1972 is a leap year: whether 29 February exists is settled with the year.
  if (wallMinuteUs(1972, out.month, out.day, out.hour, out.minute) < 0) return 0;
  out.kind = KIND.yearless;
  out.letter = letter;
  return clock + 6 - at;
}

/**
 * Settles the year of a text without one: the latest that puts its minute no later than
 * `latestUs`, which is also the one nearest to the reading time. Returns the minute's wall-clock
 * microseconds, or -1 where no year does (29 February before any leap year since 1970).
 */
export function inferYear(text: MinuteText, latestUs: number, zone: Zone): number {
  // A day ahead covers every zone: a host east of UTC may already be in the next year.
  const newest = new Date((latestUs + DAY_US) / 1000).getUTCFullYear();
  // Leap years lie at most eight years apart (1896 and 1904), and the newest may be one too far.
  for (let year = newest; year >= newest - 9; year -= 1) {
    const wallUs = wallMinuteUs(year, text.month, text.day, text.hour, text.minute);
    if (wallUs >= 0 && wallUs - zone.offsetUs(wallUs) <= latestUs) return wallUs;
  }
  return -1;
}
