import type { Buffer } from "node:buffer";

/** What the first bytes of a zstd frame say: where it ends, and how much it inflates to. */
export interface ZstdFrame {
  /** Length of the frame, its checksum included. */
  readonly frameBytes: number;
  /** Size of its content; undefined where the frame does not state it. */
  readonly contentBytes: number | undefined;
}

const MAGIC = 0xfd2fb528;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;

/**
 * Walks the headers of one zstd frame (RFC 8878, 3.1.1) without inflating it. Undefined where it is
 * cut off or is no zstd frame. Without it, zlib would take frames that follow the first, skippable
 * ones included, for part of the payload.
 */
export function readZstdFrame(bytes: Buffer): ZstdFrame | undefined {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = bytes.readUInt8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const sizeAt = 5 + (singleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0);
  let at = sizeAt + sizeBytes;
  if (at > bytes.length) return undefined;
  const contentBytes = readContentBytes(bytes, sizeAt, sizeBytes);
  for (let last = false; !last;) {
    if (at + BLOCK_HEADER_BYTES > bytes.length) return undefined;
    const header = bytes.readUIntLE(at, BLOCK_HEADER_BYTES);
    last = (header & 1) === 1;
    const isRle = ((header >>> 1) & 3) === RLE_BLOCK;
    at += BLOCK_HEADER_BYTES + (isRle ? 1 : header >>> 3);
  }
  if ((descriptor & 4) !== 0) at += CHECKSUM_BYTES;
  return at > bytes.length ? undefined : { frameBytes: at, contentBytes };
}

/** The field is 0, 1, 2, 4 or 8 bytes long; with 2 bytes it counts from 256. */
function readContentBytes(bytes: Buffer, at: number, length: number): number | undefined {
  switch (length) {
    case 0:
      return undefined;
    case 2:
      return bytes.readUInt16LE(at) + 256;
    case 8:
      return Number(bytes.readBigUInt64LE(at));
    default:
      return bytes.readUIntLE(at, length);
  }
}
