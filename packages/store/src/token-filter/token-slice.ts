/* oxlint-disable typescript/no-non-null-assertion -- hot loops of compaction: indices are below lengths held beside */
import type { TokenPairs } from "./bucket-encoder.ts";

/**
 * Hashes are cut into slices by their upper bits, so that one slice at a time is sorted, within a second-level cache:
 * 256 of them take two thirds of the time of 64.
 */
const SLICE_BITS = 8;
export const SLICES: number = 2 ** SLICE_BITS;

const CHUNK_ENTRIES = 1024;

/** The bits left to sort by, in two passes. */
const DIGIT_BITS = (32 - SLICE_BITS) / 2;
const DIGIT_MASK = 2 ** DIGIT_BITS - 1;

export function sliceOf(hash: number): number {
  return hash >>> (32 - SLICE_BITS);
}

/** The hashes of one slice, block after block: 4 bytes each, and 4 bytes a block. */
export class TokenSlice {
  readonly #chunks: Uint32Array[] = [];
  #chunk = new Uint32Array(0);
  #used = 0;
  /** How many hashes the slice had when each block was whole. */
  readonly #ends: number[] = [];

  get length(): number {
    return this.#chunks.length * CHUNK_ENTRIES - (this.#chunk.length - this.#used);
  }

  push(hash: number): void {
    if (this.#used === this.#chunk.length) {
      this.#chunk = new Uint32Array(CHUNK_ENTRIES);
      this.#chunks.push(this.#chunk);
      this.#used = 0;
    }
    this.#chunk[this.#used++] = hash;
  }

  endBlock(): void {
    this.#ends.push(this.length);
  }

  /** Copies the pairs, block after block, to `target`, the first to place `at`. */
  copyTo(target: TokenPairs, at: number): void {
    this.#chunks.forEach((chunk, i) => {
      const isLast = i === this.#chunks.length - 1;
      target.hashes.set(isLast ? chunk.subarray(0, this.#used) : chunk, at + i * CHUNK_ENTRIES);
    });
    let start = 0;
    for (let block = 0; block < this.#ends.length; block++) {
      const end = this.#ends[block]!;
      target.blocks.fill(block, at + start, at + end);
      start = end;
    }
  }
}

/** Sorts pairs of one slice by hash, keeping those of one hash in order. A radix sort in two passes. */
export class SliceSorter {
  readonly #places = new Uint32Array(DIGIT_MASK + 2);
  readonly #scratch: TokenPairs;

  /** For slices of at most that many pairs. */
  constructor(maxCount: number) {
    this.#scratch = { hashes: new Uint32Array(maxCount), blocks: new Uint32Array(maxCount) };
  }

  /** Sorts `count` pairs from place `at`. */
  sort({ hashes, blocks }: TokenPairs, at: number, count: number): void {
    const pairs = {
      hashes: hashes.subarray(at, at + count),
      blocks: blocks.subarray(at, at + count),
    };
    this.#sortByDigit(pairs, this.#scratch, count, 0);
    this.#sortByDigit(this.#scratch, pairs, count, DIGIT_BITS);
  }

  #sortByDigit(from: TokenPairs, to: TokenPairs, count: number, shift: number): void {
    const places = this.#places;
    places.fill(0);
    for (let i = 0; i < count; i++) {
      places[((from.hashes[i]! >>> shift) & DIGIT_MASK) + 1]!++;
    }
    for (let digit = 1; digit <= DIGIT_MASK; digit++) {
      places[digit]! += places[digit - 1]!;
    }
    for (let i = 0; i < count; i++) {
      const hash = from.hashes[i]!;
      const place = places[(hash >>> shift) & DIGIT_MASK]!++;
      to.hashes[place] = hash;
      to.blocks[place] = from.blocks[i]!;
    }
  }
}
