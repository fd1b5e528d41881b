/**
 * How a timestamp is written: a pattern of fields and literal bytes, and the distance from UTC.
 *
 *     %Y year, 4 digits     %m month, 2 digits     %H hour, 2 digits      %1 to %9 that many digits of
 *     %y year, 2 digits     %b month, Jan to Dec   %k hour, no padding       the second's fraction
 *     %d day, 2 digits      %a weekday, Sun to Sat %M minute, 2 digits    %s seconds since the epoch
 *     %e day, space padded                         %q minute, no padding  %L milliseconds since it
 *     %D day, no padding                           %S second, 2 digits    %U microseconds since it
 *                                                  %r second, no padding
 *
 * Digits behind the sixth are told by nanoseconds beyond the time; a layout with them has one fraction alone. Any other byte of printable ASCII stands for itself. A pattern begins with a field of letters or digits, and `%e` stands
 * behind a space.
 */
export interface TimeLayout {
  readonly pattern: string;
  /** Minutes that the written time is ahead of UTC, within +-`MAX_ZONE_MINUTES`. */
  readonly zoneMinutes: number;
}

export const MAX_ZONE_MINUTES: number = 18 * 60;
/** Longest pattern, and so (a field renders to at most 16 bytes for its two) the longest rendering. */
export const MAX_PATTERN_BYTES = 48;
export const MAX_LAYOUT_BYTES: number = MAX_PATTERN_BYTES * 8;

const FIELDS = "YybmdeDaHkMqSrsLU123456789";
const EPOCH_FIELDS = "sLU";

/** One part of a pattern: a field's letter, or "" and a literal byte. */
export interface LayoutPart {
  readonly field: string;
  readonly literal: number;
}

/** Splits a pattern; undefined where it is none. */
export function layoutParts({ pattern, zoneMinutes }: TimeLayout): LayoutPart[] | undefined {
  if (pattern.length > MAX_PATTERN_BYTES || !pattern.startsWith("%") || /(?<! )%e/.test(pattern))
    return undefined;
  if (!Number.isInteger(zoneMinutes) || Math.abs(zoneMinutes) > MAX_ZONE_MINUTES) return undefined;
  const parts: LayoutPart[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const code = pattern.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return undefined;
    if (code !== 0x25) {
      parts.push({ field: "", literal: code });
      continue;
    }
    const field = pattern.charAt(++i);
    if (field === "" || !FIELDS.includes(field)) return undefined;
    parts.push({ field, literal: 0 });
  }
  const fractions = parts.filter(({ field }) => isFraction(field));
  return fractions.length > 1 && fractions.some(({ field }) => field > "6") ? undefined : parts;
}

/** Whether a field writes so many digits of a second's fraction. */
export function isFraction(field: string): boolean {
  return field >= "1" && field <= "9";
}

/** Whether a layout counts from the epoch: it has no rendering of a time before 1970. */
export function countsFromEpoch(parts: readonly LayoutPart[]): boolean {
  return parts.some(({ field }) => field !== "" && EPOCH_FIELDS.includes(field));
}
