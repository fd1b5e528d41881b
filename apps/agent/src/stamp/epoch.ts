/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
import { isDigit } from "./calendar.ts";

/** 2100-01-01: a number of the right length beyond it is an identifier, not a time. */
const MAX_EPOCH_US = 4_102_444_800_000_000;
/** Digits that a number holds exactly; of 19 digits of nanoseconds, these are the microseconds. */
const EXACT_DIGITS = 16;
const NANO_DIGITS = 19;

/** A time since the epoch and where its text ends. */
export class EpochText {
  timeUs: number = Number.NaN;
  end = 0;
}

/**
 * Reads a decimal number of seconds, milliseconds, microseconds or nanoseconds since 1970 at `at`,
 * told apart by their digits, with an optional fraction (cut to microseconds).
 *
 * `strict` is for text, where any number may start a line: exactly 10, 13 or 16 digits, nothing
 * word-like behind them. Otherwise, in a field that is said to be a time, 9 to 16, or 19 digits.
 */
export function readEpoch(
  buffer: Uint8Array,
  at: number,
  end: number,
  strict: boolean,
  out: EpochText,
): boolean {
  let i = at;
  let whole = 0;
  while (i < end && i - at < NANO_DIGITS && isDigit(buffer[i]!)) {
    if (i - at < EXACT_DIGITS) whole = whole * 10 + buffer[i]! - 0x30;
    i += 1;
  }
  const digits = i - at;
  if (strict && digits !== 10 && digits !== 13 && digits !== 16) return false;
  if (digits < 9 || (digits > EXACT_DIGITS && digits !== NANO_DIGITS)) return false;
  const unitUs = digits <= 11 ? 1_000_000 : digits <= 14 ? 1000 : 1;
  let fractionUs = 0;
  if (i + 1 < end && buffer[i] === 0x2e && isDigit(buffer[i + 1]!)) {
    let placeUs = unitUs;
    i += 1;
    while (i < end && isDigit(buffer[i]!)) {
      placeUs /= 10;
      // Below a microsecond nothing is kept, and binary fractions would only round it wrongly.
      if (placeUs >= 1) fractionUs += (buffer[i]! - 0x30) * placeUs;
      i += 1;
    }
  }
  if (i < end && isWordLike(buffer[i]!)) return false;
  out.timeUs = whole * unitUs + fractionUs;
  out.end = i;
  return out.timeUs < MAX_EPOCH_US;
}

function isWordLike(byte: number): boolean {
  const folded = byte | 0x20;
  return (
    isDigit(byte) ||
    (folded >= 0x61 && folded <= 0x7a) ||
    byte === 0x5f ||
    byte === 0x2d ||
    byte === 0x2e
  );
}
