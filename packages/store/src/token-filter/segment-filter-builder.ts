/* oxlint-disable typescript/no-non-null-assertion -- hot loops of compaction, bounded by lengths held beside */
import { BucketEncoder } from "./bucket-encoder.ts";
import { bucketOf, MAX_BLOCKS, MAX_BUCKETS, RARE_SPACE } from "./bucket-layout.ts";
import type { FilterDirectory } from "./filter-directory.ts";
import { sliceOf, SLICES, SliceSorter, TokenSlice } from "./token-slice.ts";

/** About 600 bytes a bucket: the head of a row is little beside that, and twice as many take twice as long to read. */
const PAIRS_PER_BUCKET = 512;

/** A filter ready to be stored. */
export interface BuiltFilter {
  readonly directory: FilterDirectory;
  /** The bytes of each bucket, in order from 0. May be run through once. */
  readonly buckets: Iterable<Buffer>;
}

/** Takes the words of a segment's blocks and makes its filter: 4 bytes a distinct word of each block until then. */
export class SegmentFilterBuilder {
  readonly #slices = Array.from({ length: SLICES }, () => new TokenSlice());
  #blockCount = 0;
  #pairCount = 0;

  /** Adds the next block with the hashes of its words, each once; returns its number, counted from 0. */
  add(hashes: Uint32Array): number {
    if (this.#blockCount === MAX_BLOCKS) {
      throw new RangeError(`a segment's filter holds no more than ${MAX_BLOCKS} blocks`);
    }
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i]!;
      this.#slices[sliceOf(hash)]!.push(hash);
    }
    for (const slice of this.#slices) {
      slice.endBlock();
    }
    this.#pairCount += hashes.length;
    return this.#blockCount++;
  }

  /** The filter of all the blocks. Nothing may be added afterwards. */
  finish(): BuiltFilter {
    const directory = {
      blockCount: this.#blockCount,
      bucketCount: chooseBucketCount(this.#pairCount),
      rareSpace: RARE_SPACE,
    };
    return { directory, buckets: this.#encode(directory) };
  }

  *#encode(directory: FilterDirectory): Generator<Buffer> {
    const { bucketCount } = directory;
    if (bucketCount === 0) {
      return;
    }
    const encoder = new BucketEncoder(directory);
    const slicesAtOnce = Math.max(1, SLICES / bucketCount);
    const lengths = this.#slices.map(({ length }) => length);
    const sorter = new SliceSorter(Math.max(...lengths));
    const room = slicesAtOnce === 1 ? Math.max(...lengths) : this.#pairCount;
    const pairs = { hashes: new Uint32Array(room), blocks: new Uint32Array(room) };
    let bucket = 0;
    for (let first = 0; first < SLICES; first += slicesAtOnce) {
      let count = 0;
      for (const slice of this.#slices.slice(first, first + slicesAtOnce)) {
        slice.copyTo(pairs, count);
        sorter.sort(pairs, count, slice.length);
        count += slice.length;
      }
      const endBucket = ((first + slicesAtOnce) * bucketCount) / SLICES;
      let from = 0;
      for (; bucket < endBucket; bucket++) {
        let to = from;
        while (to < count && bucketOf(pairs.hashes[to]!, bucketCount) === bucket) {
          to++;
        }
        yield encoder.encode(bucket, pairs, from, to);
        from = to;
      }
    }
  }
}

/** A power of two, or a multiple of the slices, so that no bucket lies in parts of two slices. */
function chooseBucketCount(pairCount: number): number {
  const wanted = Math.min(Math.ceil(pairCount / PAIRS_PER_BUCKET), MAX_BUCKETS);
  return wanted < SLICES && wanted > 0
    ? 2 ** Math.floor(Math.log2(wanted))
    : Math.floor(wanted / SLICES) * SLICES;
}
