import type { Buffer } from "node:buffer";
import { err, ok, type Result } from "@sluice/quantity";
import type { CodecError } from "./codec-error.ts";
import { decodeColumns } from "./columns.ts";
import { decompressPayload, decompressPayloadOnPool } from "./compression.ts";
import { type BatchFrame, PAYLOAD_CODEC_ZSTD } from "./frame.ts";
import type { RecordColumns } from "./record.ts";

/**
 * Decompresses and decodes a batch wholly, and compares its header with what is computed from its
 * records. An error is one that no retry can cure: it becomes a `reject`.
 */
export function decodeBatch(frame: BatchFrame): Result<RecordColumns, CodecError> {
  if (frame.codec !== PAYLOAD_CODEC_ZSTD) return unsupported(frame);
  return decodePayload(frame, decompressPayload(frame.payload, frame.rawBytes));
}

/** The same, decompressed on the thread pool. The frame must not change until it resolves. */
export async function decodeBatchOnPool(
  frame: BatchFrame,
): Promise<Result<RecordColumns, CodecError>> {
  if (frame.codec !== PAYLOAD_CODEC_ZSTD) return unsupported(frame);
  return decodePayload(frame, await decompressPayloadOnPool(frame.payload, frame.rawBytes));
}

function unsupported({ codec }: BatchFrame): Result<never, CodecError> {
  return err({ code: "unsupported_codec", detail: `codec ${codec}` });
}

function decodePayload(
  frame: BatchFrame,
  payload: Result<Buffer, CodecError>,
): Result<RecordColumns, CodecError> {
  if (!payload.ok) return payload;
  const columns = decodeColumns(payload.value, frame.count);
  if (!columns.ok) return columns;
  let minTimeUs = Infinity;
  let maxTimeUs = -Infinity;
  for (const timeUs of columns.value.timesUs) {
    if (timeUs < minTimeUs) minTimeUs = timeUs;
    if (timeUs > maxTimeUs) maxTimeUs = timeUs;
  }
  if (minTimeUs !== frame.minTimeUs || maxTimeUs !== frame.maxTimeUs)
    return err({ code: "header_mismatch", detail: "the times are not those of the header" });
  return ok(columns.value);
}
