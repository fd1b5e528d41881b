import { twoDigits, wallMinuteUs } from "./calendar.ts";
import type { MinuteText } from "./minute-text.ts";
import { KIND, LETTER } from "./minute-text.ts";

/** Spark and Hadoop's short log4j layout, `17/06/09 20:10:`. Returns as `readMinuteText` does. */
export function readShortSlash(
  buffer: Uint8Array,
  at: number,
  end: number,
  out: MinuteText,
): number {
  if (end - at < 17 || buffer[at + 5] !== 0x2f || buffer[at + 8] !== 0x20) return 0;
  if (buffer[at + 11] !== 0x3a || buffer[at + 14] !== 0x3a) return 0;
  return readParts(buffer, at, at + 3, at + 6, at + 9, at + 12, out) ? 15 : 0;
}

/** HDFS and old MySQL, `081109 203615`. Returns as `readMinuteText` does. */
export function readCompact(buffer: Uint8Array, at: number, end: number, out: MinuteText): number {
  if (end - at < 13) return 0;
  return readParts(buffer, at, at + 2, at + 4, at + 7, at + 9, out) ? 11 : 0;
}

function readParts(
  buffer: Uint8Array,
  yearAt: number,
  monthAt: number,
  dayAt: number,
  hourAt: number,
  minuteAt: number,
  out: MinuteText,
): boolean {
  const year = twoDigits(buffer, yearAt);
  if (year < 0) return false;
  // POSIX strptime %y: 69-99 are of the 20th century, 00-68 of the 21st.
  out.wallUs = wallMinuteUs(
    year < 69 ? 2000 + year : 1900 + year,
    twoDigits(buffer, monthAt),
    twoDigits(buffer, dayAt),
    twoDigits(buffer, hourAt),
    twoDigits(buffer, minuteAt),
  );
  out.kind = KIND.plain;
  out.letter = LETTER.none;
  return out.wallUs >= 0;
}
