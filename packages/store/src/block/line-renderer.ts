/* oxlint-disable typescript/no-non-null-assertion -- hot loop: every index lies inside arrays of known length */
import { Buffer } from "node:buffer";
import { LayoutText } from "./layout-text.ts";
import type { MarkedLayout } from "./line-pass.ts";

/** Room for one timestamp of every line, which is what most have. */
const TIMESTAMP_BYTES = 32;
/** Longer stretches are faster copied by a call than byte by byte. */
const SHORT_BYTES = 48;
const SPACE = 0x20;

/** Writes lines of a block's text as they were, timestamps in place of their markers. */
export class LineRenderer {
  /** Bytes written. */
  length = 0;

  readonly #text: Buffer;
  readonly #texts: readonly LayoutText[];
  /** One more than the layout that a byte marks; 0 where it marks none. */
  readonly #layoutOf = new Uint8Array(256);
  #bytes: Buffer = Buffer.alloc(0);

  constructor(layouts: readonly MarkedLayout[], text: Buffer) {
    this.#text = text;
    this.#texts = layouts.map(({ layout }) => new LayoutText(layout));
    layouts.forEach(({ marker }, i) => (this.#layoutOf[marker] = i + 1));
  }

  /** Makes room at once for so many lines of so many bytes in all. */
  expect(bytes: number, lines: number): void {
    const timestamps = this.#texts.length > 0 ? lines * TIMESTAMP_BYTES : 0;
    this.#bytes = Buffer.allocUnsafeSlow(bytes + timestamps);
  }

  /** Writes the line `text[start .. end)`, its LF included, of a record of that time and nanoseconds beyond it. */
  write(start: number, end: number, timeUs: number, nanos: number): void {
    const text = this.#text;
    const layoutOf = this.#layoutOf;
    let from = start;
    for (let at = start; at < end; at++) {
      if (text[at]! >= SPACE || layoutOf[text[at]!] === 0) continue;
      this.#copy(from, at);
      this.#stamp(this.#texts[layoutOf[text[at]!]! - 1]!, timeUs, nanos);
      from = at + 1;
    }
    this.#copy(from, end);
  }

  #copy(from: number, end: number): void {
    const length = end - from;
    this.#reserve(length);
    const bytes = this.#bytes;
    let to = this.length;
    this.length += length;
    if (length > SHORT_BYTES) {
      this.#text.copy(bytes, to, from, end);
      return;
    }
    const text = this.#text;
    for (let at = from; at < end; at++) bytes[to++] = text[at]!;
  }

  #stamp(layout: LayoutText, timeUs: number, nanos: number): void {
    layout.render(timeUs, nanos);
    const { bytes: stamp, length } = layout;
    this.#reserve(length);
    const bytes = this.#bytes;
    let to = this.length;
    this.length += length;
    for (let i = 0; i < length; i++) bytes[to++] = stamp[i]!;
  }

  /** What was written. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(2 * (this.length + bytes));
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}
