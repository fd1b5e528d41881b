import { Stamper } from "../../src/stamp/stamper.ts";

/** When the lines of the tests are read, unless they say otherwise: 2026-11-24T12:00:00Z. */
export const READ_AT_US: number = Date.UTC(2026, 10, 24, 12) * 1000;

/** What a stamper says of a line: its time in microseconds, undefined where it found none. */
export interface Stamp {
  readonly timeUs: number | undefined;
  readonly severity: number;
}

/** Stamps one line, set between other bytes that are no part of it. */
export function stampWith(stamper: Stamper, text: string, readAtUs: number = READ_AT_US): Stamp {
  const before = "9ERROR ";
  const line = Buffer.from(text);
  const buffer = Buffer.concat([Buffer.from(before), line, Buffer.from("9 ERROR\n")]);
  stamper.stamp(buffer, before.length, before.length + line.length, readAtUs);
  return { timeUs: stamper.timed ? stamper.timeUs : undefined, severity: stamper.severity };
}

/** Stamps one line with a new stamper whose zone is UTC. */
export function stamp(text: string, readAtUs: number = READ_AT_US): Stamp {
  return stampWith(new Stamper({ zone: 0 }), text, readAtUs);
}

/** Microseconds of a UTC time that `Date.parse` reads, and microseconds beyond its milliseconds. */
export function us(iso: string, moreUs = 0): number {
  return Date.parse(iso) * 1000 + moreUs;
}
