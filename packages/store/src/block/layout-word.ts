import { LOWER_BYTES, WORD_BYTES } from "@sluice/query";
import type { BlockIndex } from "./block-index.ts";
import { MONTH_NAMES, WEEKDAY_NAMES } from "./calendar.ts";
import { LayoutText } from "./layout-text.ts";
import { type LayoutPart, type TimeLayout, isFraction, layoutParts } from "./time-layout.ts";

const SECOND_US = 1_000_000;

/** What a field writes, letters made small; two digits where it is not listed. */
const FIELD_PATTERNS: Readonly<Record<string, string>> = {
  Y: "\\d{4}",
  b: `(?:${MONTH_NAMES.join("|").toLowerCase()})`,
  a: `(?:${WEEKDAY_NAMES.join("|").toLowerCase()})`,
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
  return index.layouts.some(({ layout }) =>
    layoutWords(layout).some(
      (parts) => wordPattern(parts).test(word) && writesWord(layout, parts, index, word),
    ),
  );
}

/** Whether a whole word, ASCII capitals made small, may stand in a timestamp of this layout, whatever the time. */
export function mayWriteWord(layout: TimeLayout, word: string): boolean {
  return layoutWords(layout).some((parts) => wordPattern(parts).test(word));
}

/** The parts of a layout that make a word each: what stands between bytes that belong to none. */
function layoutWords(layout: TimeLayout): LayoutPart[][] {
  const words: LayoutPart[][] = [[]];
  for (const part of layoutParts(layout) ?? []) {
    if (part.field === "" && WORD_BYTES[part.literal] === 0) words.push([]);
    // A space before the day belongs to no word.
    else words.at(-1)?.push(part.field === "e" ? { field: "D", literal: 0 } : part);
  }
  return words.filter((parts) => parts.length > 0);
}

/** What the word that some parts make looks like. */
function wordPattern(parts: readonly LayoutPart[]): RegExp {
  const source = parts.map(({ field, literal }) => {
    if (field === "") return String.fromCharCode(LOWER_BYTES[literal] ?? 0);
    return isFraction(field) ? `\\d{${field}}` : (FIELD_PATTERNS[field] ?? "\\d\\d");
  });
  return new RegExp(`^${source.join("")}$`);
}

function writesWord(
  layout: TimeLayout,
  parts: readonly LayoutPart[],
  { timesUs, nanos }: BlockIndex,
  word: string,
): boolean {
  const text = new LayoutText(layout, parts);
  const wanted = new TextEncoder().encode(word);
  const isFine = parts.some(({ field }) => isFraction(field) || field === "L" || field === "U");
  let last = NaN;
  for (let record = 0; record < timesUs.length; record++) {
    const timeUs = timesUs[record] ?? 0;
    if (!isFine) {
      const second = Math.floor(timeUs / SECOND_US);
      if (second === last) continue;
      last = second;
    }
    text.render(timeUs, nanos[record]);
    if (isWritten(text, wanted)) return true;
  }
  return false;
}

function isWritten({ bytes, length }: LayoutText, word: Uint8Array): boolean {
  if (length !== word.length) return false;
  for (let i = 0; i < length; i++) if (LOWER_BYTES[bytes[i] ?? 0] !== word[i]) return false;
  return true;
}
