/* oxlint-disable typescript/no-non-null-assertion -- loops over the positions of one text */
import { WORD_BYTES } from "@sluice/query";
import type { BlockIndex } from "./block-index.ts";
import { LayoutText } from "./layout-text.ts";
import type { TimeLayout } from "./time-layout.ts";

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const CASE_BIT = 0x20;
const SECOND_US = 1_000_000;

/** 1 for the bytes that stand at each position of the timestamps of one length. */
type Shape = readonly Uint8Array[];

/** The shapes of each layout, by index. */
const shapesByIndex = new WeakMap<BlockIndex, readonly (readonly Shape[])[]>();

/**
 * Whether an occurrence of `text` in the body of one of the block's records, its ASCII letters of either case where
 * `anyCase`, may overlap a timestamp that is not in the text. Never wrong where it says no.
 */
export function mayTouchTimestamp(index: BlockIndex, text: Uint8Array, anyCase: boolean): boolean {
  return shapesOf(index).some((shapes) =>
    shapes.some((shape) => shiftsOn(shape, text, anyCase).length > 0),
  );
}

/**
 * The records, ascending, in whose bodies an occurrence of `text` may overlap a timestamp that is not in the text: of
 * each, the timestamp as it is written agrees with what of `text` would lie on it. No record is missing. The cost is
 * that of rendering the timestamps alone, and only where `mayTouchTimestamp`.
 */
export function recordsTouching(
  index: BlockIndex,
  text: Uint8Array,
  anyCase: boolean,
): Uint32Array {
  const { timesUs, count, layouts } = index;
  const isFound = new Uint8Array(count);
  shapesOf(index).forEach((shapes, i) => {
    const shifts = new Map(shapes.map((shape) => [shape.length, shiftsOn(shape, text, anyCase)]));
    if ([...shifts.values()].every(({ length }) => length === 0)) return;
    const stamp = new LayoutText(layouts[i]!.layout);
    let found = 0;
    for (let record = 0, lastUs = NaN; record < count; record++) {
      const timeUs = timesUs[record]!;
      if (timeUs !== lastUs) {
        stamp.render(timeUs);
        found = (shifts.get(stamp.length) ?? []).some((shift) => lies(stamp, text, shift, anyCase))
          ? 1
          : 0;
        lastUs = timeUs;
      }
      isFound[record]! |= found;
    }
  });
  const records = new Uint32Array(isFound.reduce((sum, is) => sum + is, 0));
  for (let record = 0, at = 0; record < count; record++)
    if (isFound[record] === 1) records[at++] = record;
  return records;
}

/** The shifts (how far behind the start of a timestamp the text begins) at which both share a byte and may agree. */
function shiftsOn(shape: Shape, text: Uint8Array, anyCase: boolean): number[] {
  const shifts: number[] = [];
  for (let shift = 1 - text.length; shift < shape.length; shift++)
    if (agrees(shape, text, shift, anyCase)) shifts.push(shift);
  // An empty text lies everywhere.
  return text.length === 0 ? [0] : shifts;
}

function agrees(shape: Shape, text: Uint8Array, shift: number, anyCase: boolean): boolean {
  const from = Math.max(0, shift);
  const to = Math.min(shape.length, shift + text.length);
  for (let at = from; at < to; at++) {
    const byte = text[at - shift]!;
    if (shape[at]![byte] === 1) continue;
    if (!anyCase || !isLetter(byte) || shape[at]![byte ^ CASE_BIT] === 0) return false;
  }
  // A timestamp begins at the start of a word, and a word does not go on behind it.
  if (shift < 0 && WORD_BYTES[text[-shift - 1]!] === 1) return false;
  const behind = text[shape.length - shift];
  if (behind === undefined || WORD_BYTES[behind] === 0) return true;
  return shape.at(-1)!.some((is, byte) => is === 1 && WORD_BYTES[byte] === 0);
}

/** Whether the bytes that the text and the timestamp share are the same. */
function lies(stamp: LayoutText, text: Uint8Array, shift: number, anyCase: boolean): boolean {
  const { bytes, length } = stamp;
  const to = Math.min(length, shift + text.length);
  for (let at = Math.max(0, shift); at < to; at++) {
    const byte = text[at - shift]!;
    if (bytes[at] === byte) continue;
    if (!anyCase || !isLetter(byte) || bytes[at] !== (byte ^ CASE_BIT)) return false;
  }
  return true;
}

function isLetter(byte: number): boolean {
  const small = byte | CASE_BIT;
  return small >= 0x61 && small <= 0x7a;
}

function shapesOf(index: BlockIndex): readonly (readonly Shape[])[] {
  let shapes = shapesByIndex.get(index);
  if (shapes === undefined) {
    shapes = index.layouts.map(({ layout }) => findShapes(layout, index.timesUs));
    shapesByIndex.set(index, shapes);
  }
  return shapes;
}

/** The shapes of all that a layout makes of the times. */
function findShapes(layout: TimeLayout, timesUs: Float64Array): Shape[] {
  const text = new LayoutText(layout);
  const hasFraction = /%[1-6LU]/.test(layout.pattern);
  const shapes = new Map<number, Uint8Array[]>();
  let last = NaN;
  for (const timeUs of timesUs) {
    const second = Math.floor(timeUs / SECOND_US);
    if (second === last) continue;
    last = second;
    addTime(shapes, text, second * SECOND_US);
    // With the other end of the second, digits of a fraction have been both 0 and 9.
    if (hasFraction) addTime(shapes, text, second * SECOND_US + SECOND_US - 1);
  }
  if (hasFraction)
    for (const bytes of [...shapes.values()].flat())
      if (bytes[DIGIT_0] === 1 && bytes[DIGIT_9] === 1) bytes.fill(1, DIGIT_0, DIGIT_9 + 1);
  return [...shapes.values()];
}

function addTime(shapes: Map<number, Uint8Array[]>, text: LayoutText, timeUs: number): void {
  text.render(timeUs);
  let shape = shapes.get(text.length);
  if (shape === undefined) {
    shape = Array.from({ length: text.length }, () => new Uint8Array(256));
    shapes.set(text.length, shape);
  }
  for (let at = 0; at < text.length; at++) shape[at]![text.bytes[at]!] = 1;
}
