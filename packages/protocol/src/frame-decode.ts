import { Buffer, isUtf8 } from "node:buffer";
import { crc32 } from "node:zlib";
import { err, ok, type Result } from "@sluice/quantity";
import {
  type AdvanceFrame,
  type BatchFrame,
  type Frame,
  type FramePosition,
  GAP_CAUSES,
  type GapFrame,
  type GapRange,
} from "./frame.ts";
import {
  ADVANCE,
  BATCH,
  COMMON_HEADER_BYTES,
  FLAG_FINAL,
  GAP,
  GAP_KNOWN,
  OFFSET,
  readInt64,
} from "./frame-layout.ts";
import { LIMITS } from "./limits.ts";
import { MAX_TIME_US } from "./record.ts";

/**
 * Why a message is refused, as a whole.
 *
 * - `corrupt`: a frame's checksum does not match: the transport damaged it. `stream` and `epoch` are
 *   what its header says, which may be what was damaged.
 * - `malformed`: the sender is at fault; `offset` is where in the message the frame begins.
 */
export type FrameError =
  | {
      readonly kind: "corrupt";
      readonly offset: number;
      readonly stream: number;
      readonly epoch: number;
      readonly detail: string;
    }
  | { readonly kind: "malformed"; readonly offset: number; readonly detail: string };

/**
 * Decodes a message into its frames and checks every header. Payloads and cursors are views of
 * `message`; payloads are not looked into (see `decodeBatch`).
 */
export function decodeMessage(message: Uint8Array): Result<Frame[], FrameError> {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  if (bytes.length > LIMITS.framePayloadBytes) return malformed(0, "the message is too large");
  if (bytes.length === 0) return malformed(0, "the message is empty");
  const frames: Frame[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (frames.length === LIMITS.messageFrames) return malformed(offset, "too many frames");
    const rest = bytes.length - offset;
    if (rest < COMMON_HEADER_BYTES) return malformed(offset, "the frame is cut off");
    const frameBytes = bytes.readUInt32LE(offset + OFFSET.frameBytes);
    if (frameBytes < COMMON_HEADER_BYTES || frameBytes > rest)
      return malformed(offset, "the frame's length does not fit the message");
    const frame = bytes.subarray(offset, offset + frameBytes);
    if (crc32(frame.subarray(OFFSET.frameBytes)) !== frame.readUInt32LE(OFFSET.crc32))
      return err({
        kind: "corrupt",
        offset,
        stream: frame.readUInt32LE(OFFSET.stream),
        epoch: frame.readUInt32LE(OFFSET.epoch),
        detail: "the frame's checksum does not match",
      });
    const decoded = decodeFrame(frame);
    if (typeof decoded === "string") return malformed(offset, decoded);
    frames.push(decoded);
    offset += frameBytes;
  }
  return ok(frames);
}

function malformed(offset: number, detail: string): Result<never, FrameError> {
  return err({ kind: "malformed", offset, detail });
}

/** The frame, or a sentence that says what is wrong with it. */
function decodeFrame(frame: Buffer): Frame | string {
  const kind = frame[OFFSET.kind];
  const flags = frame[OFFSET.flags] ?? 0;
  if (kind !== ADVANCE.kind && flags !== 0) return "unknown flags";
  switch (kind) {
    case BATCH.kind:
      return decodeBatchFrame(frame);
    case GAP.kind:
      return decodeGap(frame);
    case ADVANCE.kind:
      return decodeAdvance(frame, flags);
    default:
      return "unknown kind of frame";
  }
}

function decodePosition(frame: Buffer, headerBytes: number): FramePosition | string {
  const cursorBytes = frame.readUInt16LE(OFFSET.cursorBytes);
  if (cursorBytes > LIMITS.cursorBytes) return "the cursor is too large";
  if (frame.length < headerBytes + cursorBytes) return "the frame is shorter than its cursor";
  const count = frame.readUInt32LE(OFFSET.count);
  const ordinal = readCounter(frame, OFFSET.ordinal);
  const firstSeq = readCounter(frame, OFFSET.firstSeq);
  if (Number.isNaN(ordinal)) return "the ordinal is out of range";
  if (!Number.isSafeInteger(firstSeq + count)) return "the sequence numbers are out of range";
  return {
    stream: frame.readUInt32LE(OFFSET.stream),
    epoch: frame.readUInt32LE(OFFSET.epoch),
    ordinal,
    firstSeq,
    count,
    cursor: frame.subarray(headerBytes, headerBytes + cursorBytes),
  };
}

function decodeBatchFrame(frame: Buffer): BatchFrame | string {
  if (frame.length < BATCH.headerBytes) return "the batch is cut off";
  const position = decodePosition(frame, BATCH.headerBytes);
  if (typeof position === "string") return position;
  if (position.count < 1 || position.count > LIMITS.batchRecords)
    return "the batch's number of records is out of range";
  const minTimeUs = readInt64(frame, BATCH.minTimeUs);
  const maxTimeUs = readInt64(frame, BATCH.maxTimeUs);
  if (!(-MAX_TIME_US <= minTimeUs && minTimeUs <= maxTimeUs && maxTimeUs <= MAX_TIME_US))
    return "the batch's times are out of range";
  const rawBytes = frame.readUInt32LE(BATCH.rawBytes);
  if (rawBytes < 1 || rawBytes > LIMITS.payloadRawBytes)
    return "the batch's uncompressed size is out of range";
  if (frame.readUIntLE(BATCH.reserved, 3) !== 0) return "reserved bytes are not zero";
  const payload = frame.subarray(BATCH.headerBytes + position.cursor.length);
  if (payload.length === 0) return "the batch has no payload";
  const codec = frame[BATCH.codec] ?? 0;
  return { kind: "batch", ...position, minTimeUs, maxTimeUs, rawBytes, codec, payload };
}

function decodeGap(frame: Buffer): GapFrame | string {
  if (frame.length < GAP.headerBytes) return "the gap is cut off";
  const position = decodePosition(frame, GAP.headerBytes);
  if (typeof position === "string") return position;
  const cause = GAP_CAUSES[(frame[GAP.cause] ?? 0) - 1];
  if (cause === undefined) return "unknown cause of a gap";
  const timeUs = readInt64(frame, GAP.timeUs);
  if (!(Math.abs(timeUs) <= MAX_TIME_US)) return "the gap's time is out of range";
  if (frame.readUInt32LE(GAP.reserved) !== 0) return "reserved bytes are not zero";
  const range = decodeRange(frame);
  if (typeof range === "string" && range !== "unknown") return range;
  const detail = frame.subarray(GAP.headerBytes + position.cursor.length);
  if (detail.length !== frame.readUInt16LE(GAP.detailBytes) || detail.length > LIMITS.detailBytes)
    return "the gap's detail does not have its length";
  if (!isUtf8(detail)) return "the gap's detail is not UTF-8";
  return { kind: "gap", ...position, cause, timeUs, range, detail: detail.toString("utf8") };
}

function decodeRange(frame: Buffer): GapRange | string {
  const known = frame[GAP.known] ?? 0;
  if (known > (GAP_KNOWN.fromByte | GAP_KNOWN.toByte | GAP_KNOWN.bytes))
    return "unknown fields in a gap's range";
  const range: { -readonly [Field in keyof GapRange]: GapRange[Field] } = {};
  for (const field of ["fromByte", "toByte", "bytes"] as const) {
    const value = readCounter(frame, GAP[field]);
    if (Number.isNaN(value)) return "a gap's range is out of range";
    if ((known & GAP_KNOWN[field]) !== 0) range[field] = value;
    else if (value !== 0) return "a gap's range has a field that it does not know";
  }
  if ((range.toByte ?? Infinity) < (range.fromByte ?? 0))
    return "a gap's range ends before it begins";
  return known === 0 ? "unknown" : range;
}

function decodeAdvance(frame: Buffer, flags: number): AdvanceFrame | string {
  if (flags > FLAG_FINAL) return "unknown flags";
  if (frame.length < ADVANCE.headerBytes) return "the advance is cut off";
  const position = decodePosition(frame, ADVANCE.headerBytes);
  if (typeof position === "string") return position;
  if (position.count !== 0) return "an advance holds no records";
  if (frame.length !== ADVANCE.headerBytes + position.cursor.length)
    return "bytes follow the advance";
  const filteredRecords = readCounter(frame, ADVANCE.filteredRecords);
  const filteredBytes = readCounter(frame, ADVANCE.filteredBytes);
  if (Number.isNaN(filteredRecords) || Number.isNaN(filteredBytes))
    return "the advance's counts are out of range";
  return {
    kind: "advance",
    ...position,
    filteredRecords,
    filteredBytes,
    final: flags === FLAG_FINAL,
  };
}

/** A u64 of at most 2^53 - 1; NaN otherwise. */
function readCounter(frame: Buffer, at: number): number {
  const value = readInt64(frame, at);
  return value >= 0 ? value : NaN;
}
