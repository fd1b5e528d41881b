import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/**
 * Text that blocks are compressed against, so that none of them has to spell out what its neighbours have said. It is
 * stored once for many blocks, which name it by its id and cannot be decoded without it.
 *
 * Measured on blocks of 1 MiB of generated syslog, bytes of text over raw: none 0.0517, 64 KiB 0.0461, 128 KiB 0.0453,
 * 300 KiB 0.0445, at the same speed; 128 KiB compress to 17.
 */
export interface BlockDictionary {
  readonly bytes: Uint8Array;
  /** crc32 of the bytes, and never 0. */
  readonly id: number;
}

const DICTIONARY_BYTES = 128 * 1024;
/** At least so much text for each byte of dictionary: below it would cost more than it saves. */
const MIN_RATIO = 4;
/** Longer lines would leave room for few. */
const MAX_LINE_BYTES = 2048;
const LF = 0x0a;

/** A dictionary read back from where it was stored. */
export function openDictionary(bytes: Uint8Array): BlockDictionary {
  return { bytes, id: crc32(bytes) || 1 };
}

/**
 * A dictionary of lines spread evenly over the texts of blocks like those that it is for (`EncodedBlock.text`), or
 * undefined where there is too little text to be worth one.
 */
export function sampleDictionary(texts: readonly Uint8Array[]): BlockDictionary | undefined {
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  if (total < DICTIONARY_BYTES * MIN_RATIO) return undefined;
  const dictionary = Buffer.alloc(DICTIONARY_BYTES);
  // An LF in front: bytes that begin like one of zstd's own dictionaries would be taken for one.
  dictionary[0] = LF;
  let at = 1;
  const step = total / DICTIONARY_BYTES;
  let due = 0;
  let seen = 0;
  for (const text of texts) {
    for (let start = 0; start < text.length;) {
      const end = text.indexOf(LF, start) + 1 || text.length;
      const length = end - start;
      if (seen >= due && length <= MAX_LINE_BYTES && at + length <= dictionary.length) {
        dictionary.set(text.subarray(start, end), at);
        at += length;
        due += length * step;
      }
      seen += length;
      start = end;
    }
  }
  return openDictionary(dictionary.subarray(0, at));
}
