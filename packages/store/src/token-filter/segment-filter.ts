import { err, ok, type Result } from "@sluice/quantity";

import { BlockSet } from "./block-set.ts";
import { blocksInBucket } from "./bucket-decoder.ts";
import { bucketOf, fractionOf } from "./bucket-layout.ts";
import type { FilterDirectory } from "./filter-directory.ts";
import type { FilterError } from "./filter-error.ts";
import { hashWord } from "./word-hash.ts";

/** Where a segment keeps its filter. */
export interface BucketStore {
  /** The bytes of a bucket, numbered from 0; undefined where there are none. They are only read, and not kept. */
  bucket(bucket: number): Uint8Array | undefined;
}

/** Tells which blocks of a segment may hold a word; what it leaves out does not hold it. */
export class SegmentFilter {
  readonly #directory: FilterDirectory;
  readonly #store: BucketStore;

  constructor(directory: FilterDirectory, store: BucketStore) {
    this.#directory = directory;
    this.#store = store;
  }

  /**
   * The blocks whose text may hold a word, in any case; every block for a word that filters do not know. What the store
   * throws goes through. Throws a RangeError for a text that is not one word.
   */
  candidatesOf(word: string): Result<BlockSet, FilterError> {
    const hash = hashWord(word);
    return hash === undefined
      ? ok(BlockSet.all(this.#directory.blockCount))
      : this.candidatesOfHash(hash);
  }

  /** The blocks whose text may hold a word of that hash, which is one of TokenCollector's. */
  candidatesOfHash(hash: number): Result<BlockSet, FilterError> {
    const { blockCount, bucketCount } = this.#directory;
    if (bucketCount === 0) {
      return ok(BlockSet.none(blockCount));
    }
    const bucket = bucketOf(hash, bucketCount);
    const bytes = this.#store.bucket(bucket);
    return bytes === undefined
      ? err({ code: "filter-damaged", detail: `bucket ${bucket} of the token filter is missing` })
      : blocksInBucket(bucket, bytes, fractionOf(hash, bucketCount), this.#directory);
  }

  /** The blocks that may hold every one of the words: all of them for none. */
  candidates(words: readonly string[]): Result<BlockSet, FilterError> {
    let blocks = BlockSet.all(this.#directory.blockCount);
    for (const word of words) {
      const found = this.candidatesOf(word);
      if (!found.ok) {
        return found;
      }
      blocks = blocks.intersect(found.value);
      if (blocks.isEmpty) {
        break;
      }
    }
    return ok(blocks);
  }
}
