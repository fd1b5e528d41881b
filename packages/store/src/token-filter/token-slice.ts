/* oxlint-disable typescript/no-non-null-assertion -- hot loops of compaction: indices are below lengths held beside */
import type { TokenPairs } from "./bucket-encoder.ts";

/** Hashes are cut into slices by their upper bits, so that one slice at a time is sorted. */
const SLICE_BITS = 6;
export const SLICES: number = 2 ** SLICE_BITS;

const CHUNK_ENTRIES = 4096;

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

  /** Copies the pairs, block after block, to the front of `target`. */
  copyTo(target: TokenPairs): void {
    this.#chunks.forEach((chunk, at) => {
      const isLast = at === this.#chunks.length - 1;
      target.hashes.set(isLast ? chunk.subarray(0, this.#used) : chunk, at * CHUNK_ENTRIES);
    });
    let start = 0;
    this.#ends.forEach((end, block) => {
      target.blocks.fill(block, start, end);
      start = end;
    });
  }
}

/**
 * Sorts the first `count` pairs of one slice by hash, keeping those of one hash in order; a radix sort in two passes.
 * `scratch` holds as many.
 */
export function sortSlice(pairs: TokenPairs, scratch: TokenPairs, count: number): void {
  sortByDigit(pairs, scratch, count, 0);
  sortByDigit(scratch, pairs, count, DIGIT_BITS);
}

function sortByDigit(from: TokenPairs, to: TokenPairs, count: number, shift: number): void {
  const places = new Uint32Array(DIGIT_MASK + 2);
  const hashes = from.hashes;
  const blocks = from.blocks;
  for (let i = 0; i < count; i++) {
    places[((hashes[i]! >>> shift) & DIGIT_MASK) + 1]!++;
  }
  for (let digit = 1; digit <= DIGIT_MASK; digit++) {
    places[digit]! += places[digit - 1]!;
  }
  for (let i = 0; i < count; i++) {
    const hash = hashes[i]!;
    const place = places[(hash >>> shift) & DIGIT_MASK]!++;
    to.hashes[place] = hash;
    to.blocks[place] = blocks[i]!;
  }
}
