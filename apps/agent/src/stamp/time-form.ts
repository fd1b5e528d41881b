/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
import { isDigit } from "./calendar.ts";
import { readApacheError, readCommonLog } from "./apache-time.ts";
import { readCompact, readShortSlash } from "./compact-time.ts";
import { readRfc3339 } from "./rfc3339.ts";
import { readGlog, readMonthDay, readRfc3164 } from "./rfc3164.ts";
import type { MinuteText } from "./minute-text.ts";

/**
 * Reads whichever form starts at `at` into `out`. The shape of the first bytes names the only form
 * that can be there. Returns the bytes up to the seconds' first digit (two digits of seconds are
 * inside `end` then, not yet checked), or 0 where no form starts here or its date is impossible.
 */
export function readMinuteText(
  buffer: Uint8Array,
  at: number,
  end: number,
  out: MinuteText,
): number {
  if (end - at < 13) return 0;
  const first = buffer[at]!;
  if (!isDigit(first)) {
    if (first < 0x41 || first > 0x5a) return 0;
    if (isDigit(buffer[at + 1]!)) return readGlog(buffer, at, end, out);
    return readRfc3164(buffer, at, end, out) || readApacheError(buffer, at, end, out);
  }
  switch (buffer[at + 2]!) {
    case 0x2f:
      return isDigit(buffer[at + 3]!)
        ? readShortSlash(buffer, at, end, out)
        : readCommonLog(buffer, at, end, out);
    case 0x2d:
      return readMonthDay(buffer, at, end, out);
    default:
      return buffer[at + 6] === 0x20
        ? readCompact(buffer, at, end, out)
        : readRfc3339(buffer, at, end, out);
  }
}
