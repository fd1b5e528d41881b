import { hashWordKey, WORD_SUM_FACTOR, wordKey } from "../../src/token-filter/word-hash.ts";

/** The words of at least two bytes of a text, small, as a regular expression finds them. */
export function wordsOf(text: Uint8Array): Buffer[] {
  const latin1 = Buffer.from(text).toString("latin1");
  const words = latin1.match(/[A-Za-z0-9_\u0080-\u00ff]{2,}/g) ?? [];
  return words.map((word) =>
    Buffer.from(
      word.replaceAll(/[A-Z]/g, (capital) => capital.toLowerCase()),
      "latin1",
    ),
  );
}

/** The hash of a small word, computed without any number that wraps around. */
export function hashBytes(word: Uint8Array): number {
  let sum = 0n;
  for (const byte of word) {
    sum = (sum * BigInt(WORD_SUM_FACTOR) + BigInt(byte)) % 2n ** 32n;
  }
  return hashWordKey(wordKey(Number(sum)));
}

export function hashesOf(text: Uint8Array): number[] {
  return wordsOf(text).map(hashBytes);
}
