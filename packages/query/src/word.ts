/**
 * What a word is: a run of ASCII letters, digits, `_` and bytes from 0x80. Every byte of a non-ASCII character is at
 * least 0x80, so the same rule holds for the characters of a text.
 */

/** 1 at each byte that belongs to words. */
export const WORD_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  isWordCode(byte) ? 1 : 0,
);

/** Each byte with ASCII capitals made small. */
export const LOWER_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

/** Words of a text in its order, as written. */
const WORD = /[\w\u0080-\uffff]+/g;

/** Whether a byte, or a UTF-16 unit of a text, belongs to words. */
export function isWordCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    code >= 0x80
  );
}

/** Whether a text is one word and nothing else. */
export function isWord(text: string): boolean {
  return text !== "" && text.replaceAll(WORD, "") === "";
}

/** Makes ASCII capitals small and leaves every other character alone, as matching does. */
export function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

/** The words of a text with the place of each, in its order and as written. */
export function wordsIn(text: string): readonly { readonly word: string; readonly at: number }[] {
  return Array.from(text.matchAll(WORD), (match) => ({ word: match[0], at: match.index }));
}
