/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
import { fourDigits, isDigit, twoDigits, wallMinuteUs } from "./calendar.ts";
import type { MinuteText } from "./minute-text.ts";
import { KIND, LETTER } from "./minute-text.ts";

/**
 * RFC 3339 and its relatives, year first: `2026-11-22T08:00:`, `2026-11-22 08:00:` (log4j, Python,
 * PostgreSQL) and `2026/11/22 08:00:` (nginx, Go). Returns as `readMinuteText` does.
 */
export function readRfc3339(buffer: Uint8Array, at: number, end: number, out: MinuteText): number {
  if (end - at < 19) return 0;
  const separator = buffer[at + 4]!;
  if ((separator !== 0x2d && separator !== 0x2f) || buffer[at + 7] !== separator) return 0;
  const between = buffer[at + 10]!;
  if (between !== 0x20 && (between | 0x20) !== 0x74) return 0;
  if (buffer[at + 13] !== 0x3a || buffer[at + 16] !== 0x3a) return 0;
  out.wallUs = wallMinuteUs(
    fourDigits(buffer, at),
    twoDigits(buffer, at + 5),
    twoDigits(buffer, at + 8),
    twoDigits(buffer, at + 11),
    twoDigits(buffer, at + 14),
  );
  out.kind = KIND.zoned;
  out.letter = LETTER.none;
  return out.wallUs < 0 ? 0 : 17;
}

/** The zone text of one time: how many bytes it takes and what it says. */
export class ZoneText {
  /** Bytes, 0 where there is no zone. */
  length = 0;
  offsetUs = 0.5;
}

/**
 * Reads a zone at `at` into `out`: `Z`, `+01:00`, `+0100`, `+01`, and after one space `+0100`,
 * `UTC` or `GMT`. Returns false where there is one and it is impossible (`+25:00`).
 */
export function readZone(buffer: Uint8Array, at: number, end: number, out: ZoneText): boolean {
  out.length = 0;
  if (at >= end) return true;
  const first = buffer[at]!;
  if (first === 0x5a || first === 0x7a) {
    out.length = 1;
    out.offsetUs = 0;
    return true;
  }
  if (first === 0x20) return readSpacedZone(buffer, at, end, out);
  if (first !== 0x2b && first !== 0x2d) return true;
  if (end - at < 3 || !isDigit(buffer[at + 1]!)) return true;
  return readNumericZone(buffer, at, end, out);
}

function readNumericZone(buffer: Uint8Array, at: number, end: number, out: ZoneText): boolean {
  const hours = twoDigits(buffer, at + 1);
  let minutes = 0;
  let length = 3;
  const colon = end - at >= 6 && buffer[at + 3] === 0x3a && isDigit(buffer[at + 4]!) ? 1 : 0;
  if (end - at >= 5 + colon && isDigit(buffer[at + 3 + colon]!)) {
    minutes = twoDigits(buffer, at + 3 + colon);
    length = 5 + colon;
  }
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  if (at + length < end && isDigit(buffer[at + length]!)) return false;
  const offsetUs = (hours * 60 + minutes) * 60_000_000;
  out.length = length;
  out.offsetUs = buffer[at] === 0x2d ? -offsetUs : offsetUs;
  return true;
}

function readSpacedZone(buffer: Uint8Array, at: number, end: number, out: ZoneText): boolean {
  if (end - at < 4) return true;
  const name = (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
  if (name === 0x555443 || name === 0x474d54) {
    out.length = 4;
    out.offsetUs = 0;
    return true;
  }
  const sign = name >> 16;
  if ((sign !== 0x2b && sign !== 0x2d) || end - at < 6) return true;
  // What follows a space may be any number of the message: only a full, possible zone counts.
  if (!readNumericZone(buffer, at + 1, end, out) || out.length < 5) out.length = 0;
  else out.length += 1;
  return true;
}
