import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import {
  type AdvanceFrame,
  type BatchFrame,
  type Frame,
  GAP_CAUSES,
  type GapFrame,
} from "./frame.ts";
import {
  ADVANCE,
  BATCH,
  COMMON_HEADER_BYTES,
  FLAG_FINAL,
  GAP,
  GAP_KNOWN,
  OFFSET,
  writeInt64,
} from "./frame-layout.ts";
import { LIMITS } from "./limits.ts";
import { MAX_TIME_US } from "./record.ts";

/** Encodes one frame. Throws RangeError on a field outside of its range. */
export function encodeFrame(frame: Frame): Buffer {
  switch (frame.kind) {
    case "batch":
      return encodeBatch(frame);
    case "gap":
      return encodeGap(frame);
    case "advance":
      return encodeAdvance(frame);
    default:
      return frame satisfies never;
  }
}

/** Encodes frames into one message. Throws RangeError where they exceed one message's limits. */
export function encodeMessage(frames: readonly Frame[]): Buffer {
  checkRange("frames", frames.length, 1, LIMITS.messageFrames);
  const message = Buffer.concat(frames.map(encodeFrame));
  checkRange("message bytes", message.length, COMMON_HEADER_BYTES, LIMITS.framePayloadBytes);
  return message;
}

function encodeBatch(frame: BatchFrame): Buffer {
  checkRange("count", frame.count, 1, LIMITS.batchRecords);
  checkRange("minTimeUs", frame.minTimeUs, -MAX_TIME_US, MAX_TIME_US);
  checkRange("maxTimeUs", frame.maxTimeUs, frame.minTimeUs, MAX_TIME_US);
  checkRange("rawBytes", frame.rawBytes, 1, LIMITS.payloadRawBytes);
  checkRange("codec", frame.codec, 0, 0xff);
  const bytes = startFrame(frame, BATCH.kind, 0, BATCH.headerBytes, frame.payload.length);
  writeInt64(bytes, BATCH.minTimeUs, frame.minTimeUs);
  writeInt64(bytes, BATCH.maxTimeUs, frame.maxTimeUs);
  bytes.writeUInt32LE(frame.rawBytes, BATCH.rawBytes);
  bytes[BATCH.codec] = frame.codec;
  bytes.set(frame.payload, BATCH.headerBytes + frame.cursor.length);
  return seal(bytes);
}

function encodeGap(frame: GapFrame): Buffer {
  checkRange("timeUs", frame.timeUs, -MAX_TIME_US, MAX_TIME_US);
  const detail = Buffer.from(frame.detail, "utf8");
  checkRange("detail bytes", detail.length, 0, LIMITS.detailBytes);
  const { fromByte, toByte, bytes: lost } = frame.range === "unknown" ? {} : frame.range;
  const bytes = startFrame(frame, GAP.kind, 0, GAP.headerBytes, detail.length);
  bytes[GAP.cause] = GAP_CAUSES.indexOf(frame.cause) + 1;
  bytes[GAP.known] =
    (fromByte === undefined ? 0 : GAP_KNOWN.fromByte) |
    (toByte === undefined ? 0 : GAP_KNOWN.toByte) |
    (lost === undefined ? 0 : GAP_KNOWN.bytes);
  bytes.writeUInt16LE(detail.length, GAP.detailBytes);
  writeInt64(bytes, GAP.timeUs, frame.timeUs);
  writeCounter(bytes, GAP.fromByte, fromByte ?? 0);
  writeCounter(bytes, GAP.toByte, toByte ?? 0);
  if (toByte !== undefined && fromByte !== undefined)
    checkRange("toByte", toByte, fromByte, Number.MAX_SAFE_INTEGER);
  writeCounter(bytes, GAP.bytes, lost ?? 0);
  bytes.set(detail, GAP.headerBytes + frame.cursor.length);
  return seal(bytes);
}

function encodeAdvance(frame: AdvanceFrame): Buffer {
  checkRange("count", frame.count, 0, 0);
  const flags = frame.final ? FLAG_FINAL : 0;
  const bytes = startFrame(frame, ADVANCE.kind, flags, ADVANCE.headerBytes, 0);
  writeCounter(bytes, ADVANCE.filteredRecords, frame.filteredRecords);
  writeCounter(bytes, ADVANCE.filteredBytes, frame.filteredBytes);
  return seal(bytes);
}

/** A zeroed frame with its common header, the cursor behind `headerBytes`, and room for the tail. */
function startFrame(
  frame: Frame,
  kind: number,
  flags: number,
  headerBytes: number,
  tailBytes: number,
): Buffer {
  const { stream, epoch, count, ordinal, firstSeq, cursor } = frame;
  checkRange("cursor bytes", cursor.length, 0, LIMITS.cursorBytes);
  checkRange("stream", stream, 0, 0xffff_ffff);
  checkRange("epoch", epoch, 0, 0xffff_ffff);
  checkRange("count", count, 0, 0xffff_ffff);
  checkRange("firstSeq + count", firstSeq + count, 0, Number.MAX_SAFE_INTEGER);
  const frameBytes = headerBytes + cursor.length + tailBytes;
  checkRange("frame bytes", frameBytes, headerBytes, LIMITS.framePayloadBytes);
  const bytes = Buffer.alloc(frameBytes);
  bytes.writeUInt32LE(frameBytes, OFFSET.frameBytes);
  bytes[OFFSET.kind] = kind;
  bytes[OFFSET.flags] = flags;
  bytes.writeUInt16LE(cursor.length, OFFSET.cursorBytes);
  bytes.writeUInt32LE(stream, OFFSET.stream);
  bytes.writeUInt32LE(epoch, OFFSET.epoch);
  bytes.writeUInt32LE(count, OFFSET.count);
  writeCounter(bytes, OFFSET.ordinal, ordinal);
  writeCounter(bytes, OFFSET.firstSeq, firstSeq);
  bytes.set(cursor, headerBytes);
  return bytes;
}

function seal(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(OFFSET.frameBytes)), OFFSET.crc32);
  return bytes;
}

function writeCounter(bytes: Buffer, at: number, value: number): void {
  checkRange("counter", value, 0, Number.MAX_SAFE_INTEGER);
  writeInt64(bytes, at, value);
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new RangeError(`${name} ${value} is not an integer from ${min} to ${max}`);
}
