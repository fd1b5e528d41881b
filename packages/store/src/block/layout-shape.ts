/* oxlint-disable typescript/no-non-null-assertion -- loops over the positions of one text */
import { LOWER_BYTES, WORD_BYTES } from "@sluice/query";
import type { BlockIndex } from "./block-index.ts";
import { LayoutText } from "./layout-text.ts";
import { MONTH_NAMES, WEEKDAY_NAMES } from "./calendar.ts";
import { type TimeLayout, layoutParts } from "./time-layout.ts";

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const SECOND_US = 1_000_000;

/** The bytes (small letters for capitals) that stand at each position of the timestamps of one length. */
type Shape = readonly Uint8Array[];

const shapesByIndex = new WeakMap<BlockIndex, readonly Shape[]>();

/**
 * Whether an occurrence of `text` in the body of one of the block's records, its ASCII letters of either case where
 * `anyCase`, may overlap a timestamp that is not in the text. Never wrong where it says no.
 */
export function mayTouchTimestamp(index: BlockIndex, text: Uint8Array, anyCase: boolean): boolean {
  if (index.layouts.length === 0 || text.length === 0) return index.layouts.length > 0;
  // Shapes know no case: for a text of one case that only says yes too often.
  void anyCase;
  const lower = text.map((byte) => LOWER_BYTES[byte]!);
  return shapesOf(index).some((shape) => touches(shape, lower));
}

/** Tries every way in which the text and a timestamp share at least one byte. */
function touches(shape: Shape, text: Uint8Array): boolean {
  for (let shift = 1 - text.length; shift < shape.length; shift++) {
    if (agrees(shape, text, shift)) return true;
  }
  return false;
}

/** Whether the text may begin `shift` bytes behind the start of a timestamp. */
function agrees(shape: Shape, text: Uint8Array, shift: number): boolean {
  const from = Math.max(0, shift);
  const to = Math.min(shape.length, shift + text.length);
  for (let at = from; at < to; at++) if (shape[at]![text[at - shift]!] === 0) return false;
  // A timestamp begins at the start of a word, and a word does not go on behind it.
  if (shift < 0 && WORD_BYTES[text[-shift - 1]!] === 1) return false;
  const behind = text[shape.length - shift];
  if (behind === undefined || WORD_BYTES[behind] === 0) return true;
  return shape.at(-1)!.some((is, byte) => is === 1 && WORD_BYTES[byte] === 0);
}

function shapesOf(index: BlockIndex): readonly Shape[] {
  let shapes = shapesByIndex.get(index);
  if (shapes === undefined) {
    shapes = index.layouts.flatMap(({ layout }) => findShapes(layout, index.timesUs));
    shapesByIndex.set(index, shapes);
  }
  return shapes;
}

/** The shapes of all that a layout makes of the times; digits of fractions may be any. */
function findShapes(layout: TimeLayout, timesUs: Float64Array): Shape[] {
  const text = new LayoutText(layout);
  const hasFraction = /%[1-6LU]/.test(layout.pattern);
  const shapes = new Map<number, Uint8Array[]>();
  const ends: number[] = [];
  let last = NaN;
  for (const timeUs of timesUs) {
    const second = Math.floor(timeUs / SECOND_US);
    if (second === last) continue;
    last = second;
    // Both ends of the second: digits that differ between them are those of a fraction.
    ends.push(second * SECOND_US);
    if (hasFraction) ends.push(second * SECOND_US + SECOND_US - 1);
  }
  for (const timeUs of ends) {
    text.render(timeUs);
    let shape = shapes.get(text.length);
    if (shape === undefined) {
      shape = Array.from({ length: text.length }, () => new Uint8Array(256));
      shapes.set(text.length, shape);
    }
    for (let at = 0; at < text.length; at++) shape[at]![LOWER_BYTES[text.bytes[at]!]!] = 1;
  }
  if (hasFraction)
    for (const shape of shapes.values())
      for (const bytes of shape)
        if (bytes[DIGIT_0] === 1 && bytes[DIGIT_9] === 1) bytes.fill(1, DIGIT_0, DIGIT_9 + 1);
  return [...shapes.values()];
}

const FIELD_PATTERNS: Readonly<Record<string, string>> = {
  Y: "\\d{4}",
  b: `(?:${MONTH_NAMES.join("|").toLowerCase()})`,
  a: `(?:${WEEKDAY_NAMES.join("|").toLowerCase()})`,
  e: "\\d\\d?",
  D: "\\d\\d?",
  k: "\\d\\d?",
  q: "\\d\\d?",
  r: "\\d\\d?",
  s: "\\d+",
  L: "\\d+",
  U: "\\d+",
};

/**
 * Whether `word` (a whole word, ASCII capitals made small) may stand inside a timestamp of this block that is not in the
 * text: by the words that the layouts can write first, then by the times themselves. Never wrong where it says no.
 */
export function elidesWord(index: BlockIndex, word: string): boolean {
  return index.layouts.some(
    ({ layout }) => wordPattern(layout).test(word) && rendersWord(layout, index.timesUs, word),
  );
}

/** What any word of a timestamp looks like, whatever the time. */
export function wordPattern(layout: TimeLayout): RegExp {
  const source = (layoutParts(layout) ?? []).map(({ field, literal }) => {
    if (field === "") {
      const isWord = WORD_BYTES[literal] === 1;
      return isWord ? String.fromCharCode(LOWER_BYTES[literal]!) : " ";
    }
    if (field >= "1" && field <= "6") return `\\d{${field}}`;
    // A space may stand before the day.
    return field === "e" ? " \\d\\d?" : (FIELD_PATTERNS[field] ?? "\\d\\d");
  });
  const words = source.join("").split(" ");
  return new RegExp(`^(?:${words.filter((part) => part !== "").join("|")})$`);
}

function rendersWord(layout: TimeLayout, timesUs: Float64Array, word: string): boolean {
  const wanted = new TextEncoder().encode(word);
  const text = new LayoutText(layout);
  for (const timeUs of timesUs) {
    text.render(timeUs);
    if (holdsWord(text, wanted)) return true;
  }
  return false;
}

function holdsWord({ bytes, length }: LayoutText, word: Uint8Array): boolean {
  for (let at = 0; at + word.length <= length; at++) {
    if (LOWER_BYTES[bytes[at]!] !== word[0]) continue;
    if (at > 0 && WORD_BYTES[bytes[at - 1]!] === 1) continue;
    const end = at + word.length;
    if (end < length && WORD_BYTES[bytes[end]!] === 1) continue;
    let i = 1;
    while (i < word.length && LOWER_BYTES[bytes[at + i]!] === word[i]) i++;
    if (i === word.length) return true;
  }
  return false;
}
