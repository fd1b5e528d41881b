import { err, ok, type Result } from "@sluice/quantity";
import type { CodecError } from "./codec-error.ts";
import { decodeColumns } from "./columns.ts";
import { decompressPayload } from "./compression.ts";
import { type BatchFrame, PAYLOAD_CODEC_ZSTD } from "./frame.ts";
import type { RecordColumns } from "./record.ts";

/**
 * Decompresses and decodes a batch wholly, and compares its header with what is computed from its
 * records. An error is one that no retry can cure: it becomes a `reject`.
 */
export function decodeBatch(frame: BatchFrame): Result<RecordColumns, CodecError> {
  if (frame.codec !== PAYLOAD_CODEC_ZSTD)
    return err({ code: "unsupported_codec", detail: `codec ${frame.codec}` });
  const payload = decompressPayload(frame.payload, frame.rawBytes);
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
