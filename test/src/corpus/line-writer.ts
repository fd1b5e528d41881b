/* oxlint-disable typescript/no-non-null-assertion -- bytes are copied one by one, inside the bounds checked by the loops */
const DIGIT = 0x30;
const HEX = Buffer.from("0123456789abcdef", "latin1");

/** Writes ASCII lines into one chunk. Its buffer has room for the longest line beyond its limit. */
export class LineWriter {
  readonly #buffer: Buffer;
  at = 0;

  /** Writes into `buffer`. */
  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** What has been written, as a copy that later writing does not touch; writing starts over. */
  take(): Buffer {
    const chunk = Buffer.from(this.#buffer.subarray(0, this.at));
    this.at = 0;
    return chunk;
  }

  byte(value: number): void {
    this.#buffer[this.at] = value;
    this.at += 1;
  }

  text(bytes: Uint8Array): void {
    const buffer = this.#buffer;
    let at = this.at;
    for (let i = 0; i < bytes.length; i += 1, at += 1) buffer[at] = bytes[i]!;
    this.at = at;
  }

  /** A non-negative integer, without leading zeros. */
  integer(value: number): void {
    let width = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) width += 1;
    this.padded(value, width);
  }

  /** The last `width` decimal digits of a non-negative integer, with leading zeros. */
  padded(value: number, width: number): void {
    const buffer = this.#buffer;
    let rest = value;
    for (let i = this.at + width - 1; i >= this.at; i -= 1) {
      const tenth = Math.floor(rest / 10);
      buffer[i] = DIGIT + rest - tenth * 10;
      rest = tenth;
    }
    this.at += width;
  }

  /** The last `width` (1-8) hexadecimal digits of a 32-bit integer. */
  hex(value: number, width: number): void {
    for (let shift = (width - 1) * 4; shift >= 0; shift -= 4) {
      this.#buffer[this.at] = HEX[(value >>> shift) & 15]!;
      this.at += 1;
    }
  }
}
