/* oxlint-disable typescript/no-non-null-assertion -- hot loop: every index lies inside arrays of known length */
import { Buffer } from "node:buffer";
import { LayoutText } from "./layout-text.ts";
import type { MarkedLayout } from "./line-pass.ts";

/** Room for one timestamp of every line, which is what most have. */
const TIMESTAMP_BYTES = 32;

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

  /** Writes the line `text[start .. end)`, its LF included, of a record of that time. */
  write(start: number, end: number, timeUs: number): void {
    const text = this.#text;
    const layoutOf = this.#layoutOf;
    this.#reserve(end - start);
    let bytes = this.#bytes;
    let to = this.length;
    for (let at = start; at < end; at++) {
      const byte = text[at]!;
      if (byte >= 0x20 || layoutOf[byte] === 0) {
        bytes[to++] = byte;
        continue;
      }
      const layout = this.#texts[layoutOf[byte]! - 1]!;
      layout.render(timeUs);
      this.length = to;
      this.#reserve(layout.length + end - at);
      bytes = this.#bytes;
      for (let i = 0; i < layout.length; i++) bytes[to++] = layout.bytes[i]!;
    }
    this.length = to;
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
