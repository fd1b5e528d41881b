import { err, ok, type Result } from "@sluice/quantity";
import { crc32 } from "node:zlib";

import { BitReader } from "./bit-reader.ts";
import { BlockSet } from "./block-set.ts";
import {
  COMMON_COUNT_PARAMETER,
  CRC_BYTES,
  FRACTION_BITS,
  LIST_PARAMETER_BITS,
  listLengthBits,
  RARE_COUNT_PARAMETER,
  rareParameter,
  rowCount,
  rowOf,
} from "./bucket-layout.ts";
import type { FilterDirectory } from "./filter-directory.ts";
import type { FilterError } from "./filter-error.ts";

/** The blocks that may hold the word of that fraction, by the bytes of its bucket. */
export function blocksInBucket(
  bucket: number,
  bytes: Uint8Array,
  fraction: number,
  directory: FilterDirectory,
): Result<BlockSet, FilterError> {
  const { blockCount } = directory;
  const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (
    stored.length < CRC_BYTES ||
    stored.readUInt32LE(0) !== crc32(stored.subarray(CRC_BYTES), bucket)
  ) {
    return damaged(bucket, "has another checksum");
  }
  const bits = new BitReader(stored, CRC_BYTES);
  const commonCount = bits.readRice(COMMON_COUNT_PARAMETER);
  const rarePairs = bits.readRice(RARE_COUNT_PARAMETER);
  for (let i = 0; i < commonCount && !bits.isOver; i++) {
    const isWanted = bits.read(FRACTION_BITS) === fraction;
    const blocks = readCommon(bits, blockCount, isWanted);
    if (blocks === undefined) {
      return damaged(bucket, "lists a block that is not there");
    }
    if (isWanted && !bits.isOver) {
      return ok(blocks);
    }
  }
  const blocks = readRow(bits, rarePairs, fraction, directory);
  return bits.isOver ? damaged(bucket, "is cut off") : ok(blocks);
}

/** The blocks of the next common word, which is only passed over where it is not wanted; undefined for a wrong one. */
function readCommon(bits: BitReader, blockCount: number, isWanted: boolean): BlockSet | undefined {
  const isInverse = bits.read(1) === 1;
  const listed = bits.read(listLengthBits(blockCount));
  const parameter = bits.read(LIST_PARAMETER_BITS);
  const blocks = BlockSet.none(isWanted ? blockCount : 0);
  let block = -1;
  for (let i = 0; i < listed; i++) {
    block += bits.readRice(parameter) + 1;
    if (block >= blockCount) {
      return undefined;
    }
    if (isWanted) {
      blocks.add(block);
    }
  }
  return isInverse ? blocks.complement() : blocks;
}

function readRow(
  bits: BitReader,
  rarePairs: number,
  fraction: number,
  directory: FilterDirectory,
): BlockSet {
  const { blockCount, rareSpace } = directory;
  const parameter = rareParameter(rareSpace);
  const blocks = BlockSet.none(blockCount);
  const rowStart = rowOf(fraction, rowCount(rarePairs, directory)) * blockCount;
  let number = 0;
  for (let i = 0; i < rarePairs && !bits.isOver; i++) {
    number += bits.readRice(parameter);
    if (number >= rowStart + blockCount) {
      break;
    }
    if (number >= rowStart) {
      blocks.add(number - rowStart);
    }
  }
  return blocks;
}

function damaged(bucket: number, what: string): Result<never, FilterError> {
  return err({ code: "filter-damaged", detail: `bucket ${bucket} of the token filter ${what}` });
}
