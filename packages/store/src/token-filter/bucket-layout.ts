import type { FilterDirectory } from "./filter-directory.ts";

/**
 * The token filter of a segment is the set of all (word hash, block) pairs, inverted: hashes are cut into buckets by
 * their size, a bucket is one row of the segment, and looking a word up reads one row, whatever the number of blocks.
 *
 * A hash of 32 bits falls into bucket `floor(hash * bucketCount / 2^32)`; what is left of it, `hash * bucketCount mod
 * 2^32`, is its fraction. A bucket's bytes are the CRC-32 (little-endian) of what follows, begun with the bucket's
 * number, and then, in bits:
 *
 * - the number of common words, Rice code of COMMON_COUNT_PARAMETER; the number of rare pairs, of
 *   RARE_COUNT_PARAMETER;
 * - common words by ascending fraction, each exact: fraction (32 bits), whether the blocks listed are those *without*
 *   the word (1), how many are listed (as many bits as the number of blocks takes), a Rice parameter (5), and the
 *   distance of each block listed from the one before, less one;
 * - the pairs of all other words as ascending numbers `row * blockCount + block` with `row = floor(fraction * rows /
 *   2^32)`, as the distance of each from the one before: a Golomb-coded set (Putze, Sanders and Singler, "Cache-, hash-
 *   and space-efficient Bloom filters", 2007). `rows` is such that one number in the directory's `rareSpace` is taken,
 *   which is the share of blocks that a word no block holds seems to be in.
 *
 * Every stored pair is found again; blocks that are not asked for are never seen, so nothing depends on their sizes.
 */

/** 0.05 % of false blocks, in what is written now: over 10,000 blocks a needle reads five, 1 ms each. */
export const RARE_SPACE = 2000;

export const RARE_COUNT_PARAMETER = 9;
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

/** The Rice parameter of distances of about `rareSpace`: at 2,000 a pair takes 12.5 bits, in a Bloom filter 15.8. */
export function rareParameter(rareSpace: number): number {
  return Math.floor(Math.log2(rareSpace * Math.LN2));
}

/** How many rows the rare pairs of a bucket are spread over. */
export function rowCount(rarePairs: number, { blockCount, rareSpace }: FilterDirectory): number {
  const rows = Math.ceil((rarePairs * rareSpace) / blockCount);
  return Math.min(rows, Math.floor(MAX_PAIR_NUMBER / blockCount) - 1);
}

export function rowOf(fraction: number, rows: number): number {
  return Math.floor((fraction * rows) / 2 ** 32);
}

/** Bits that hold any number from 0 to `blockCount`. */
export function listLengthBits(blockCount: number): number {
  return 32 - Math.clz32(blockCount);
}
