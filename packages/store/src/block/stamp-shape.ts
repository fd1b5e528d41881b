/* oxlint-disable typescript/no-non-null-assertion -- loops over the positions of one text */
import { WORD_BYTES } from "@sluice/query";
import { MONTH_NAMES, WEEKDAY_NAMES } from "./calendar.ts";
import { LayoutText } from "./layout-text.ts";
import { type TimeLayout, isFraction, layoutParts } from "./time-layout.ts";

const DIGITS = "0123456789";
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const CASE_BIT = 0x20;
const SECOND_US = 1_000_000;

/** Which bytes (1 at each) may stand at each position of timestamps of one length. */
export type Shape = readonly Uint8Array[];

/** The digits that a field without padding may have, for all times there are. */
const UNPADDED_DIGITS: Readonly<Record<string, number>> = {
  D: 2,
  k: 2,
  q: 2,
  r: 2,
  s: 10,
  L: 13,
  U: 16,
};
const MAX_SHAPES = 64;

/** The shapes of anything that a layout may write, or undefined where there are too many. */
export function shapesOfLayout(layout: TimeLayout): readonly Shape[] | undefined {
  let shapes: Uint8Array[][] = [[]];
  for (const { field, literal } of layoutParts(layout) ?? []) {
    const choices = field === "" ? [[bytesOf(String.fromCharCode(literal))]] : shapesOfField(field);
    if (shapes.length * choices.length > MAX_SHAPES) return undefined;
    shapes = shapes.flatMap((shape) => choices.map((choice) => [...shape, ...choice]));
  }
  return shapes;
}

function shapesOfField(field: string): Uint8Array[][] {
  if (field === "b" || field === "a") {
    const names = field === "b" ? MONTH_NAMES : WEEKDAY_NAMES;
    return [[0, 1, 2].map((at) => bytesOf(names.map((name) => name.charAt(at)).join("")))];
  }
  if (field === "e") return [[bytesOf(` ${DIGITS}`), bytesOf(DIGITS)]];
  const most = UNPADDED_DIGITS[field];
  if (most !== undefined) return Array.from({ length: most }, (_, i) => digitsOf(i + 1));
  return [digitsOf(isFraction(field) ? Number(field) : field === "Y" ? 4 : 2)];
}

function digitsOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => bytesOf(DIGITS));
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(256);
  for (const byte of Buffer.from(text, "latin1")) bytes[byte] = 1;
  return bytes;
}

/** The shapes of all that a layout makes of the times. */
export function shapesOfTimes(layout: TimeLayout, timesUs: Float64Array): Shape[] {
  const text = new LayoutText(layout);
  const hasFraction = /%[1-9LU]/.test(layout.pattern);
  const shapes = new Map<number, Uint8Array[]>();
  let last = NaN;
  for (const timeUs of timesUs) {
    const second = Math.floor(timeUs / SECOND_US);
    if (second === last) continue;
    last = second;
    addTime(shapes, text, second * SECOND_US, 0);
    // With the other end of the second, digits of a fraction have been both 0 and 9.
    if (hasFraction) addTime(shapes, text, second * SECOND_US + SECOND_US - 1, 999);
  }
  if (hasFraction)
    for (const bytes of [...shapes.values()].flat())
      if (bytes[DIGIT_0] === 1 && bytes[DIGIT_9] === 1) bytes.fill(1, DIGIT_0, DIGIT_9 + 1);
  return [...shapes.values()];
}

function addTime(
  shapes: Map<number, Uint8Array[]>,
  text: LayoutText,
  timeUs: number,
  nanos: number,
): void {
  text.render(timeUs, nanos);
  let shape = shapes.get(text.length);
  if (shape === undefined) {
    shape = Array.from({ length: text.length }, () => new Uint8Array(256));
    shapes.set(text.length, shape);
  }
  for (let at = 0; at < text.length; at++) shape[at]![text.bytes[at]!] = 1;
}

/** The shifts (how far behind the start of a timestamp the text begins) at which both share a byte and may agree. */
export function shiftsOn(shape: Shape, text: Uint8Array, anyCase: boolean): number[] {
  // An empty text lies everywhere.
  if (text.length === 0) return [0];
  const shifts: number[] = [];
  for (let shift = 1 - text.length; shift < shape.length; shift++)
    if (agrees(shape, text, shift, anyCase)) shifts.push(shift);
  return shifts;
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

/** Whether the bytes that the text and the last rendered timestamp share are the same. */
export function liesOn(
  { bytes, length }: LayoutText,
  text: Uint8Array,
  shift: number,
  anyCase: boolean,
): boolean {
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
