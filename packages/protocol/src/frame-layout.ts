import type { Buffer } from "node:buffer";

/**
 * Byte offsets inside a frame, all integers little endian. Every frame begins with the common header;
 * the fields of its kind follow, then the cursor, then a batch's payload or a gap's detail.
 */
export const OFFSET = {
  crc32: 0,
  frameBytes: 4,
  kind: 8,
  flags: 9,
  cursorBytes: 10,
  stream: 12,
  epoch: 16,
  count: 20,
  ordinal: 24,
  firstSeq: 32,
} as const;

export const COMMON_HEADER_BYTES = 40;

export const BATCH = {
  kind: 1,
  minTimeUs: 40,
  maxTimeUs: 48,
  rawBytes: 56,
  codec: 60,
  /** Three zero bytes. */
  reserved: 61,
  headerBytes: 64,
} as const;

export const GAP = {
  kind: 2,
  cause: 40,
  /** Which of the range's fields are known, a bit each, in the order of the fields. */
  known: 41,
  detailBytes: 42,
  /** Four zero bytes. */
  reserved: 44,
  timeUs: 48,
  fromByte: 56,
  toByte: 64,
  bytes: 72,
  headerBytes: 80,
} as const;

export const GAP_KNOWN = { fromByte: 1, toByte: 2, bytes: 4 } as const;

export const ADVANCE = {
  kind: 3,
  filteredRecords: 40,
  filteredBytes: 48,
  headerBytes: 56,
} as const;

/** Flag of an advance: the stream ends here. No other flag exists in version 1. */
export const FLAG_FINAL = 1;

const TWO_32 = 2 ** 32;

/** Writes a safe integer as i64 (or u64, where it is not negative). */
export function writeInt64(target: Buffer, at: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  target.writeUInt32LE(value - high * TWO_32, at);
  target.writeInt32LE(high, at + 4);
}

/** Reads an i64; NaN where it is not a safe integer. A u64 above 2^53 - 1 is NaN or negative. */
export function readInt64(source: Buffer, at: number): number {
  const value = source.readInt32LE(at + 4) * TWO_32 + source.readUInt32LE(at);
  return Number.isSafeInteger(value) ? value : NaN;
}
