import { err, ok, type Result } from "@sluice/quantity";

import { MAX_BLOCKS, MAX_BUCKETS } from "./bucket-layout.ts";
import type { FilterError } from "./filter-error.ts";

/** What a reader must know of a filter beside its buckets. */
export interface FilterDirectory {
  readonly blockCount: number;
  /** 0 where no block holds a word. */
  readonly bucketCount: number;
  /** Numbers that a rare pair has to itself, 2 at least: one block in so many is a false one. */
  readonly rareSpace: number;
}

const VERSION = 2;
const DIRECTORY_BYTES = 13;

/** The first version did not say its rare space, which was this. */
const FIRST_VERSION = 1;
const FIRST_BYTES = 9;
const FIRST_RARE_SPACE = 1000;

/** More would leave a bucket's numbers no room. */
const MAX_RARE_SPACE = 2 ** 16;

/** Version (1 byte); number of blocks, number of buckets and rare space (4 bytes each, little-endian). */
export function encodeDirectory({ blockCount, bucketCount, rareSpace }: FilterDirectory): Buffer {
  const bytes = Buffer.alloc(DIRECTORY_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt32LE(blockCount, 1);
  bytes.writeUInt32LE(bucketCount, 5);
  bytes.writeUInt32LE(rareSpace, 9);
  return bytes;
}

export function decodeDirectory(bytes: Uint8Array): Result<FilterDirectory, FilterError> {
  const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = stored[0] ?? 0;
  if (version > VERSION) {
    return err({
      code: "filter-newer",
      detail: `the token filter has version ${version}, this program reads up to ${VERSION}`,
    });
  }
  const isFirst = version === FIRST_VERSION;
  if (version < FIRST_VERSION || stored.length !== (isFirst ? FIRST_BYTES : DIRECTORY_BYTES)) {
    return damaged("is not one");
  }
  const blockCount = stored.readUInt32LE(1);
  const bucketCount = stored.readUInt32LE(5);
  const rareSpace = isFirst ? FIRST_RARE_SPACE : stored.readUInt32LE(9);
  if (
    blockCount > MAX_BLOCKS ||
    bucketCount > MAX_BUCKETS ||
    (blockCount === 0 && bucketCount > 0) ||
    !(rareSpace >= 2 && rareSpace <= MAX_RARE_SPACE)
  ) {
    return damaged(
      `states ${blockCount} blocks, ${bucketCount} buckets and a rare space of ${rareSpace}`,
    );
  }
  return ok({ blockCount, bucketCount, rareSpace });
}

function damaged(what: string): Result<never, FilterError> {
  return err({ code: "filter-damaged", detail: `the token filter's directory ${what}` });
}
