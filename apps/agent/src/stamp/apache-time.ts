/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
import { fourDigits, isDigit, monthNamed, twoDigits, wallMinuteUs } from "./calendar.ts";
import type { MinuteText } from "./minute-text.ts";
import { KIND, LETTER } from "./minute-text.ts";

/** How far into a line an access log's time is looked for: host, identity and user precede it. */
const COMMON_LOG_WINDOW = 128;

/** The common log format's time, `10/Oct/2000:13:55:`. Returns as `readMinuteText` does. */
export function readCommonLog(
  buffer: Uint8Array,
  at: number,
  end: number,
  out: MinuteText,
): number {
  if (end - at < 20 || buffer[at + 2] !== 0x2f || buffer[at + 6] !== 0x2f) return 0;
  if (buffer[at + 11] !== 0x3a || buffer[at + 14] !== 0x3a || buffer[at + 17] !== 0x3a) return 0;
  out.wallUs = wallMinuteUs(
    fourDigits(buffer, at + 7),
    monthNamed(buffer, at + 3),
    twoDigits(buffer, at),
    twoDigits(buffer, at + 12),
    twoDigits(buffer, at + 15),
  );
  out.kind = KIND.zoned;
  out.letter = LETTER.none;
  return out.wallUs < 0 ? 0 : 18;
}

/** Where the text of a common-log time starts (behind its `[`) near the line's start, or -1. */
export function findCommonLog(buffer: Uint8Array, at: number, end: number): number {
  const last = Math.min(end - 21, at + COMMON_LOG_WINDOW);
  for (let i = at; i <= last; i += 1) {
    if (buffer[i] === 0x5b && buffer[i + 3] === 0x2f && buffer[i + 7] === 0x2f) return i + 1;
  }
  return -1;
}

/**
 * Apache's error log and C's asctime, `Sun Dec 04 04:47:44.123456 2005`, the year last.
 * Returns as `readMinuteText` does.
 */
export function readApacheError(
  buffer: Uint8Array,
  at: number,
  end: number,
  out: MinuteText,
): number {
  if (end - at < 24 || buffer[at + 3] !== 0x20 || !isWeekday(buffer, at)) return 0;
  if (buffer[at + 7] !== 0x20 || buffer[at + 10] !== 0x20) return 0;
  if (buffer[at + 13] !== 0x3a || buffer[at + 16] !== 0x3a) return 0;
  let yearAt = at + 19;
  if (buffer[yearAt] === 0x2e) {
    yearAt += 1;
    while (yearAt < end && isDigit(buffer[yearAt]!)) yearAt += 1;
  }
  if (end - yearAt < 5 || buffer[yearAt] !== 0x20) return 0;
  const tens = buffer[at + 8] === 0x20 ? buffer[at + 9]! - 0x30 : twoDigits(buffer, at + 8);
  out.wallUs = wallMinuteUs(
    fourDigits(buffer, yearAt + 1),
    monthNamed(buffer, at + 4),
    tens,
    twoDigits(buffer, at + 11),
    twoDigits(buffer, at + 14),
  );
  out.kind = KIND.trailingYear;
  out.letter = LETTER.none;
  return out.wallUs < 0 ? 0 : 17;
}

function isWeekday(buffer: Uint8Array, at: number): boolean {
  switch ((buffer[at]! << 16) | (buffer[at + 1]! << 8) | buffer[at + 2]!) {
    case 0x4d6f6e:
    case 0x547565:
    case 0x576564:
    case 0x546875:
    case 0x467269:
    case 0x536174:
    case 0x53756e:
      return true;
    default:
      return false;
  }
}
