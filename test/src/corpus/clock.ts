import type { LineWriter } from "./line-writer.ts";
import type { Prng } from "./prng.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** How a second is written in one kind of log; its fraction, where there is one, follows. */
export type SecondForm = "rfc3339" | "log4j" | "commonLog";

const SECOND_TEXT: Readonly<Record<SecondForm, (iso: string) => string>> = {
  rfc3339: (iso) => iso.slice(0, 19),
  log4j: (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 19)}`,
  commonLog: (iso) => {
    const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? "";
    return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  },
};

/**
 * The time of the line being written. It never goes back and moves on as a server's log does: in
 * bursts of lines microseconds apart, with pauses that keep the asked-for rate.
 */
export class Clock {
  timeUs: number;
  #writtenUs = 0;
  readonly #meanGapUs: number;
  readonly #prng: Prng;
  readonly #texts = new Map<SecondForm, { second: number; bytes: Buffer }>();

  constructor(prng: Prng, startUs: number, linesPerSecond: number) {
    this.#prng = prng;
    this.timeUs = startUs;
    this.#meanGapUs = 1_000_000 / linesPerSecond;
  }

  /** Moves to the next line's time. */
  advance(): void {
    // Three lines of four follow closely; the fourth gap makes up for them.
    const fraction = this.#prng.fraction();
    const share = this.#prng.uint32() >>> 30 === 0 ? 6.4 : 0.5333;
    this.timeUs += Math.round(fraction * share * this.#meanGapUs);
  }

  /** Writes the current second in a form. */
  write(line: LineWriter, form: SecondForm): void {
    const second = Math.floor(this.timeUs / 1_000_000);
    let text = this.#texts.get(form);
    if (text === undefined || text.second !== second) {
      const iso = new Date(second * 1000).toISOString();
      text = { second, bytes: Buffer.from(SECOND_TEXT[form](iso), "latin1") };
      this.#texts.set(form, text);
    }
    line.text(text.bytes);
    this.#writtenUs = second * 1_000_000;
  }

  /** Writes so many digits of the second's fraction, at most 6, behind what `write` wrote. */
  writeFraction(line: LineWriter, digits: number): void {
    const unitUs = 10 ** (6 - digits);
    const units = Math.floor((this.timeUs % 1_000_000) / unitUs);
    line.padded(units, digits);
    this.#writtenUs += units * unitUs;
  }

  /** The time as the last line says it: an agent reads no more off it than is written. */
  get writtenUs(): number {
    return this.#writtenUs;
  }
}
