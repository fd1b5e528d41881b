// Hot loops over typed arrays: an index is in range by the loop's own bounds.
/* oxlint-disable typescript/no-non-null-assertion */
import type { TextPattern } from "./ast.ts";
import { isWordCode, LOWER_BYTES, lowerAscii, WORD_BYTES } from "./word.ts";

/** Tests the bytes from `start` to before `end`; both are edges of words. */
export type BytesTest = (bytes: Uint8Array, start: number, end: number) => boolean;

/** Tests the place that a proposer gave, an index of `bytes`. */
export type PlaceTest = (bytes: Uint8Array, place: number) => boolean;

/** Finds a pattern in bytes as they are: never through a decoded text, so that any byte may stand beside it. */
export function compileTextOnBytes(pattern: TextPattern): BytesTest {
  const needle = new TextEncoder().encode(lowerAscii(pattern.text));
  const { length } = needle;
  const first = needle[0]!;
  // The other case of a letter; of anything else the byte itself.
  const firstOther = first >= 0x61 && first <= 0x7a ? first - 0x20 : first;
  const wordAtStart = pattern.wholeStart && WORD_BYTES[first] === 1;
  const wordAtEnd = pattern.wholeEnd && WORD_BYTES[needle[length - 1]!] === 1;
  return (bytes, start, end) => {
    const last = end - length;
    for (let at = start; at <= last; at++) {
      const byte = bytes[at]!;
      if (byte !== first && byte !== firstOther) {
        continue;
      }
      let matched = 1;
      while (matched < length && LOWER_BYTES[bytes[at + matched]!] === needle[matched]) {
        matched++;
      }
      if (
        matched === length &&
        !(wordAtStart && at > start && WORD_BYTES[bytes[at - 1]!] === 1) &&
        !(wordAtEnd && at + length < end && WORD_BYTES[bytes[at + length]!] === 1)
      ) {
        return true;
      }
    }
    return false;
  };
}

/**
 * Tests whether a pattern stands exactly at a place. What a whole side stands beside is what `bytes` hold there, or
 * their end: they must hold whole records, each with its LF.
 */
export function compileTextAt(pattern: TextPattern): PlaceTest {
  const needle = new TextEncoder().encode(lowerAscii(pattern.text));
  const { length } = needle;
  const wordAtStart = pattern.wholeStart && WORD_BYTES[needle[0]!] === 1;
  const wordAtEnd = pattern.wholeEnd && WORD_BYTES[needle[length - 1]!] === 1;
  return (bytes, place) => {
    const behind = place + length;
    if (
      behind > bytes.length ||
      (wordAtStart && place > 0 && WORD_BYTES[bytes[place - 1]!] === 1) ||
      (wordAtEnd && behind < bytes.length && WORD_BYTES[bytes[behind]!] === 1)
    ) {
      return false;
    }
    for (let i = 0; i < length; i++) {
      if (LOWER_BYTES[bytes[place + i]!] !== needle[i]) {
        return false;
      }
    }
    return true;
  };
}

/** Finds a pattern in a text, by the same rules as in the text's UTF-8 bytes. */
export function compileTextOnString(pattern: TextPattern): (text: string) => boolean {
  const needle = lowerAscii(pattern.text);
  const wordAtStart = pattern.wholeStart && isWordCode(needle.charCodeAt(0));
  const wordAtEnd = pattern.wholeEnd && isWordCode(needle.charCodeAt(needle.length - 1));
  return (text) => {
    const lower = lowerAscii(text);
    for (let at = lower.indexOf(needle); at !== -1; at = lower.indexOf(needle, at + 1)) {
      const behind = at + needle.length;
      if (
        !(wordAtStart && at > 0 && isWordCode(lower.charCodeAt(at - 1))) &&
        !(wordAtEnd && behind < lower.length && isWordCode(lower.charCodeAt(behind)))
      ) {
        return true;
      }
    }
    return false;
  };
}

/** The first place of `needle` (not empty) from `start`, wholly before `end`, or -1. Cases differ. */
export function indexOfBytes(
  bytes: Uint8Array,
  needle: Uint8Array,
  start: number,
  end: number,
): number {
  const { length } = needle;
  const first = needle[0]!;
  const last = end - length;
  for (let at = start; at <= last; at++) {
    if (bytes[at] !== first) {
      continue;
    }
    let matched = 1;
    while (matched < length && bytes[at + matched] === needle[matched]) {
      matched++;
    }
    if (matched === length) {
      return at;
    }
  }
  return -1;
}

/** The first place of a byte from `start`, or -1. */
export function indexOfByte(bytes: Uint8Array, byte: number, start: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(byte, start);
}
