/* oxlint-disable typescript/no-non-null-assertion -- indices are in range by the loop's own bounds */
import { LOWER_BYTES, WORD_BYTES } from "@sluice/query";

/** Each byte of a word with ASCII capitals made small; 0 at each byte that belongs to none. */
export const FOLDED_WORD_BYTES: Uint8Array = LOWER_BYTES.map((byte, at) =>
  WORD_BYTES[at] === 1 ? byte : 0,
);

/** A word's sum: `sum = sum * FACTOR + byte` over its folded bytes, modulo 2^32. Stored: never changed. */
export const WORD_SUM_FACTOR = 0x9e37_79b1;

/** Shorter words are not in a filter: nearly every block holds each of them. */
const MIN_WORD_BYTES = 2;

/** What tells words apart: their sum as a signed number of 32 bits that is never 0. */
export function wordKey(sum: number): number {
  return sum === 0 ? 1 : sum | 0;
}

/** Spreads keys over 32 bits, one to one: lowbias32 of github.com/skeeto/hash-prospector. */
export function hashWordKey(key: number): number {
  let hash = key ^ (key >>> 16);
  hash = Math.imul(hash, 0x7feb_352d);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x846c_a68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * The hash of a word of a query, in any case; undefined where filters say nothing about it: a word of one byte, and one
 * with U+FFFD, which stands for bytes that are not UTF-8. Throws a RangeError for a text that is not one word.
 */
export function hashWord(word: string): number | undefined {
  const codes = Buffer.from(word).map((byte) => FOLDED_WORD_BYTES[byte]!);
  if (codes.length === 0 || codes.includes(0)) {
    throw new RangeError(`${JSON.stringify(word)} is not one word`);
  }
  let sum = 0;
  for (const code of codes) {
    sum = (Math.imul(sum, WORD_SUM_FACTOR) + code) | 0;
  }
  return codes.length < MIN_WORD_BYTES || word.includes("\ufffd")
    ? undefined
    : hashWordKey(wordKey(sum));
}
