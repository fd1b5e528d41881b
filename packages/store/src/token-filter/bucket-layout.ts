/**
 * The token filter of a segment is the set of all (word hash, block) pairs, inverted: hashes are cut into buckets by
 * their size, a bucket is one row of the segment, and looking a word up reads one row, whatever the number of blocks.
 *
 * A hash of 32 bits falls into bucket `floor(hash * bucketCount / 2^32)`; what is left of it, `hash * bucketCount mod
 * 2^32`, is its fraction. A bucket's bytes are the CRC-32 (little-endian) of what follows, begun with the bucket's
 * number, and then, in bits:
 *
 * - the number of common words, Rice code of COMMON_COUNT_PARAMETER; the number of rare pairs, of RARE_PARAMETER;
 * - common words by ascending fraction, each exact: fraction (32 bits), whether the blocks listed are those *without*
 *   the word (1), how many are listed (as many bits as the number of blocks takes), a Rice parameter (5), and the
 *   distance of each block listed from the one before, less one;
 * - the pairs of all other words as ascending numbers `row * blockCount + block` with `row = floor(fraction * rows /
 *   2^32)`, as the distance of each from the one before: a Golomb-coded set (Putze, Sanders and Singler, "Cache-, hash-
 *   and space-efficient Bloom filters", 2007). `rows` is such that one number in RARE_SPACE is taken, which is the
 *   share of blocks that a word no block holds seems to be in.
 *
 * Every stored pair is found again; blocks that are not asked for are never seen, so nothing depends on their sizes.
 */

/** 0.1 % of false blocks: over 10,000 blocks a needle reads ten, 1 ms each. */
const RARE_SPACE = 1000;

/** The best for distances of about RARE_SPACE: 11.5 bits a pair, where a Bloom filter takes 14.4. */
export const RARE_PARAMETER = 9;

export const COMMON_COUNT_PARAMETER = 2;
export const FRACTION_BITS = 32;
export const LIST_PARAMETER_BITS = 5;
export const CRC_BYTES = 4;

/** Numbers of pairs stay below 2^31, whatever words someone chooses to write. */
const MAX_PAIR_NUMBER = 2 ** 31 - 1;

/** Hashes of 32 bits times buckets must be exact in a double. */
export const MAX_BUCKETS: number = 2 ** 20;
export const MAX_BLOCKS: number = 2 ** 20;

export function bucketOf(hash: number, bucketCount: number): number {
  return Math.floor((hash * bucketCount) / 2 ** 32);
}

export function fractionOf(hash: number, bucketCount: number): number {
  return Math.imul(hash, bucketCount) >>> 0;
}

/** How many rows the rare pairs of a bucket are spread over. */
export function rowCount(rarePairs: number, blockCount: number): number {
  const rows = Math.ceil((rarePairs * RARE_SPACE) / blockCount);
  return Math.min(rows, Math.floor(MAX_PAIR_NUMBER / blockCount) - 1);
}

export function rowOf(fraction: number, rows: number): number {
  return Math.floor((fraction * rows) / 2 ** 32);
}

/** Bits that hold any number from 0 to `blockCount`. */
export function listLengthBits(blockCount: number): number {
  return 32 - Math.clz32(blockCount);
}
