/**
 * What a time text says besides its minute, and so how the rest of it is read:
 * `zoned` may name its zone after the seconds, `plain` never does, `yearless` leaves the year to be
 * inferred, `trailingYear` writes it after the seconds.
 */
export const KIND = { plain: 0, zoned: 1, yearless: 2, trailingYear: 3 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** Which column holds the severity letter of a line, where its form has one. */
export const LETTER = { none: 0, logcat: 1, glog: 2 } as const;
export type Letter = (typeof LETTER)[keyof typeof LETTER];

/**
 * A time text down to its minute. Every form is that much, then seconds, then an optional fraction;
 * one object per stamper is refilled, so that reading allocates nothing.
 */
export class MinuteText {
  kind: Kind = KIND.plain;
  letter: Letter = LETTER.none;
  /** Microseconds of the minute on the wall clock; of no meaning where the year is still to come. */
  wallUs: number = Number.NaN;
  month = 0;
  day = 0;
  hour = 0;
  minute = 0;
}
