/* oxlint-disable typescript/no-non-null-assertion -- hot loop: every index lies inside the line's bounds */
import { WORD_BYTES } from "@sluice/query";
import { LayoutText } from "./layout-text.ts";
import type { TimeLayout } from "./time-layout.ts";

/** A layout, and the byte that stands in the text where its timestamps stood. */
export interface MarkedLayout {
  readonly layout: TimeLayout;
  readonly marker: number;
}

/** Words of a line that make its template. */
const TEMPLATE_WORDS = 4;
/** Bytes at a line's start that are looked at word by word. */
const SEARCH_BYTES = 512;
const DIGIT_0 = 0x30;
const DIGIT = 1;
const OTHER = 2;
/** DIGIT or OTHER for bytes of words. */
const WORD_CLASS: Uint8Array = Uint8Array.from(WORD_BYTES, (isWord, byte) =>
  isWord === 0 ? 0 : byte >= 0x30 && byte <= 0x39 ? DIGIT : OTHER,
);
const FNV_PRIME = 0x0100_0193;
const FNV_BASIS = 0x811c_9dc5 | 0;

/** Takes timestamps out of lines and tells what kind of line each is, in one walk over its bytes. */
export class LinePass {
  /** Hash of the last line's template: its first words, those with digits alike. */
  template = 0;
  /** Nanoseconds beyond its time that its timestamps tell; 0 where they tell none. */
  nanos = 0;

  readonly #texts: readonly LayoutText[];
  readonly #markers: readonly number[];
  /** How many layouts write the last line's time with that first byte. */
  readonly #firsts = new Uint8Array(256);
  readonly #firstOf: Uint8Array;
  #hasNanos = false;

  constructor(layouts: readonly MarkedLayout[]) {
    this.#texts = layouts.map(({ layout }) => new LayoutText(layout));
    this.#markers = layouts.map(({ marker }) => marker);
    this.#firstOf = new Uint8Array(layouts.length);
    this.#firsts[0] = layouts.length;
  }

  /** Writes the line `bytes[from .. end)`, its LF included, to `target` and returns the offset behind it. */
  write(
    bytes: Uint8Array,
    from: number,
    end: number,
    timeUs: number,
    target: Uint8Array,
    to: number,
  ): number {
    this.#render(timeUs);
    const firsts = this.#firsts;
    const limit = Math.min(end, from + SEARCH_BYTES);
    let template = FNV_BASIS;
    let words = 0;
    let at = from;
    while (at < limit && words < TEMPLATE_WORDS) {
      let byte = bytes[at]!;
      let kind = WORD_CLASS[byte]!;
      if (kind === 0) {
        target[to++] = byte;
        at++;
        continue;
      }
      if (firsts[byte] !== 0) {
        const length = this.#elide(bytes, at, end, target, to);
        if (length > 0) {
          at += length;
          to++;
          continue;
        }
      }
      let hash = FNV_BASIS;
      let kinds = 0;
      do {
        target[to++] = byte;
        hash = Math.imul(hash ^ byte, FNV_PRIME);
        kinds |= kind;
        byte = bytes[++at]!;
        kind = WORD_CLASS[byte]!;
      } while (kind !== 0 && at < end);
      words++;
      template = Math.imul(template ^ ((kinds & DIGIT) === 0 ? hash : DIGIT), FNV_PRIME);
    }
    this.template = template;
    // Behind the template only starts of words that may start a timestamp are of interest.
    for (let previous = 0; at < limit;) {
      const byte = bytes[at]!;
      const kind = WORD_CLASS[byte]!;
      if (previous === 0 && firsts[byte] !== 0 && kind !== 0) {
        const length = this.#elide(bytes, at, end, target, to);
        if (length > 0) {
          at += length;
          to++;
          continue;
        }
      }
      target[to++] = byte;
      previous = kind;
      at++;
    }
    if (at < end) {
      target.set(bytes.subarray(at, end), to);
      to += end - at;
    }
    return to;
  }

  #render(timeUs: number): void {
    this.nanos = 0;
    this.#hasNanos = false;
    for (let i = 0; i < this.#texts.length; i++) {
      const text = this.#texts[i]!;
      text.render(timeUs);
      const first = text.bytes[0]!;
      if (first === this.#firstOf[i]) continue;
      this.#firsts[this.#firstOf[i]!]!--;
      this.#firsts[first]!++;
      this.#firstOf[i] = first;
    }
  }

  /** Writes the marker of the layout whose timestamp stands at `at` and returns the timestamp's length, or 0. */
  #elide(bytes: Uint8Array, at: number, end: number, target: Uint8Array, to: number): number {
    for (let i = 0; i < this.#texts.length; i++) {
      const text = this.#texts[i]!;
      const length = matchLength(text, bytes, at, end);
      if (length === 0 || (text.nanoDigits > 0 && !this.#takeNanos(text, bytes, at))) continue;
      target[to] = this.#markers[i]!;
      return length;
    }
    return 0;
  }

  /** Reads the nanoseconds of the timestamp at `at`; false where another of this line has told others. */
  #takeNanos(text: LayoutText, bytes: Uint8Array, at: number): boolean {
    let nanos = 0;
    for (let i = 0; i < 3; i++)
      nanos = nanos * 10 + (i < text.nanoDigits ? bytes[at + text.nanosAt + i]! - DIGIT_0 : 0);
    if (this.#hasNanos && nanos !== this.nanos) return false;
    this.#hasNanos = true;
    this.nanos = nanos;
    return true;
  }
}

/** Length of `text` where it stands at `at`, with any nanoseconds, and splits no word at its end; else 0. */
function matchLength(text: LayoutText, bytes: Uint8Array, at: number, end: number): number {
  const { bytes: wanted, length } = text;
  if (at + length > end) return 0;
  for (let i = 0; i < length; i++) {
    if (bytes[at + i] === wanted[i]) continue;
    if (!text.isNano(i) || WORD_CLASS[bytes[at + i]!] !== DIGIT) return 0;
  }
  const next = at + length;
  if (next < end && WORD_BYTES[bytes[next]!] === 1 && WORD_BYTES[wanted[length - 1]!] === 1)
    return 0;
  return length;
}
