/* oxlint-disable typescript/no-non-null-assertion -- a hot loop of compaction: indices lie between `from` and `to` */
import { crc32 } from "node:zlib";

import { BitWriter } from "./bit-writer.ts";
import {
  COMMON_COUNT_PARAMETER,
  CRC_BYTES,
  FRACTION_BITS,
  fractionOf,
  LIST_PARAMETER_BITS,
  listLengthBits,
  RARE_COUNT_PARAMETER,
  rareParameter,
  rowCount,
  rowOf,
} from "./bucket-layout.ts";
import type { FilterDirectory } from "./filter-directory.ts";

/** Bits that a rare pair takes beside those of its Rice parameter. */
const RARE_PAIR_BITS = 2.5;

/** Fewer blocks than this are never worth a list of their own. */
const MIN_COMMON_BLOCKS = 6;

/** A row that holds far more pairs than its share is sorted by other means: no text may make this slow. */
const MAX_MOVES_PER_PAIR = 16;

/** Pairs of hashes and blocks: entry `i` of each array. By ascending hash, and then by ascending block. */
export interface TokenPairs {
  readonly hashes: Uint32Array;
  readonly blocks: Uint32Array;
}

/** Makes the bytes of buckets, as bucket-layout.ts describes them. */
export class BucketEncoder {
  readonly #directory: FilterDirectory;
  readonly #blockCount: number;
  readonly #bucketCount: number;
  readonly #rareParameter: number;
  readonly #listLengthBits: number;
  readonly #bits = new BitWriter();
  /** Where the pairs of each common word begin and end. */
  readonly #common: number[] = [];
  #numbers = new Uint32Array(1024);

  constructor(directory: FilterDirectory) {
    const { blockCount, bucketCount, rareSpace } = directory;
    this.#directory = directory;
    this.#blockCount = blockCount;
    this.#bucketCount = bucketCount;
    this.#rareParameter = rareParameter(rareSpace);
    this.#listLengthBits = listLengthBits(blockCount);
  }

  /** The bytes of the bucket whose pairs are those from `from` to before `to`. */
  encode(bucket: number, pairs: TokenPairs, from: number, to: number): Buffer {
    const rarePairs = to - from - this.#findCommon(pairs.hashes, from, to);
    const bits = this.#bits;
    bits.reset();
    bits.writeRice(this.#common.length / 2, COMMON_COUNT_PARAMETER);
    bits.writeRice(rarePairs, RARE_COUNT_PARAMETER);
    for (let i = 0; i < this.#common.length; i += 2) {
      this.#writeCommon(pairs, this.#common[i]!, this.#common[i + 1]!);
    }
    this.#writeRare(pairs, from, to, rarePairs);
    const bytes = bits.toBuffer(CRC_BYTES);
    bytes.writeUInt32LE(crc32(bytes.subarray(CRC_BYTES), bucket), 0);
    return bytes;
  }

  /** Notes the words that are cheaper as lists; returns how many pairs they have. */
  #findCommon(hashes: Uint32Array, from: number, to: number): number {
    this.#common.length = 0;
    const rarePairBits = this.#rareParameter + RARE_PAIR_BITS;
    let commonPairs = 0;
    for (let start = from; start < to;) {
      const hash = hashes[start]!;
      let end = start + 1;
      while (end < to && hashes[end] === hash) {
        end++;
      }
      const count = end - start;
      if (count >= MIN_COMMON_BLOCKS && this.#commonBits(count) < count * rarePairBits) {
        this.#common.push(start, end);
        commonPairs += count;
      }
      start = end;
    }
    return commonPairs;
  }

  /** About how many bits a common word of that many blocks takes. */
  #commonBits(count: number): number {
    const listed = Math.min(count, this.#blockCount - count);
    const parameter = listParameter(this.#blockCount, listed);
    const listBits = listed * (parameter + 1) + (this.#blockCount >>> parameter);
    return FRACTION_BITS + 1 + this.#listLengthBits + LIST_PARAMETER_BITS + listBits;
  }

  #writeCommon({ hashes, blocks }: TokenPairs, from: number, to: number): void {
    const count = to - from;
    const missing = this.#blockCount - count;
    const isInverse = missing < count;
    const listed = isInverse ? missing : count;
    const parameter = listParameter(this.#blockCount, listed);
    const bits = this.#bits;
    bits.write(fractionOf(hashes[from]!, this.#bucketCount), FRACTION_BITS);
    bits.write(isInverse ? 1 : 0, 1);
    bits.write(listed, this.#listLengthBits);
    bits.write(parameter, LIST_PARAMETER_BITS);
    let previous = -1;
    if (!isInverse) {
      for (let i = from; i < to; i++) {
        bits.writeRice(blocks[i]! - previous - 1, parameter);
        previous = blocks[i]!;
      }
      return;
    }
    for (let block = 0, i = from; block < this.#blockCount; block++) {
      if (i < to && blocks[i] === block) {
        i++;
      } else {
        bits.writeRice(block - previous - 1, parameter);
        previous = block;
      }
    }
  }

  #writeRare({ hashes, blocks }: TokenPairs, from: number, to: number, rarePairs: number): void {
    if (rarePairs > this.#numbers.length) {
      this.#numbers = new Uint32Array(rarePairs * 2);
    }
    const numbers = this.#numbers.subarray(0, rarePairs);
    const rows = rowCount(rarePairs, this.#directory);
    let count = 0;
    let start = from;
    for (let common = 0; start < to; common += 2) {
      const end = this.#common[common] ?? to;
      for (let i = start; i < end; i++) {
        const row = rowOf(fractionOf(hashes[i]!, this.#bucketCount), rows);
        numbers[count++] = row * this.#blockCount + blocks[i]!;
      }
      start = this.#common[common + 1] ?? to;
    }
    sortNearlySorted(numbers);
    let previous = 0;
    for (let i = 0; i < rarePairs; i++) {
      this.#bits.writeRice(numbers[i]! - previous, this.#rareParameter);
      previous = numbers[i]!;
    }
  }
}

/** The Rice parameter for `listed` of `blockCount` blocks: the logarithm of the usual distance's 0.69th part. */
function listParameter(blockCount: number, listed: number): number {
  const distance = Math.floor((blockCount / Math.max(listed, 1)) * Math.LN2);
  return Math.max(0, 31 - Math.clz32(distance));
}

/** Only the pairs of one row may stand in another order. */
function sortNearlySorted(numbers: Uint32Array): void {
  let movesLeft = numbers.length * MAX_MOVES_PER_PAIR;
  for (let i = 1; i < numbers.length; i++) {
    const number = numbers[i]!;
    let at = i;
    while (at > 0 && numbers[at - 1]! > number) {
      numbers[at] = numbers[at - 1]!;
      at--;
    }
    numbers[at] = number;
    movesLeft -= i - at;
    if (movesLeft < 0) {
      numbers.sort();
      return;
    }
  }
}
