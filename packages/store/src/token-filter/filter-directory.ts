import { err, ok, type Result } from "@sluice/quantity";

import { MAX_BLOCKS, MAX_BUCKETS } from "./bucket-layout.ts";
import type { FilterError } from "./filter-error.ts";

/** What a reader must know of a filter beside its buckets. */
export interface FilterDirectory {
  readonly blockCount: number;
  /** 0 where no block holds a word. */
  readonly bucketCount: number;
}

const VERSION = 1;
const DIRECTORY_BYTES = 9;

/** Version (1 byte), number of blocks and number of buckets (4 bytes each, little-endian). */
export function encodeDirectory({ blockCount, bucketCount }: FilterDirectory): Buffer {
  const bytes = Buffer.alloc(DIRECTORY_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt32LE(blockCount, 1);
  bytes.writeUInt32LE(bucketCount, 5);
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
  if (version !== VERSION || stored.length !== DIRECTORY_BYTES) {
    return damaged("is not one");
  }
  const blockCount = stored.readUInt32LE(1);
  const bucketCount = stored.readUInt32LE(5);
  if (
    blockCount > MAX_BLOCKS ||
    bucketCount > MAX_BUCKETS ||
    (blockCount === 0 && bucketCount > 0)
  ) {
    return damaged(`states ${blockCount} blocks and ${bucketCount} buckets`);
  }
  return ok({ blockCount, bucketCount });
}

function damaged(what: string): Result<never, FilterError> {
  return err({ code: "filter-damaged", detail: `the token filter's directory ${what}` });
}
