/**
 * Frames, batches and what they are made of: all of the protocol that handles bytes. The control messages stand
 * apart, since checking them takes zod, which a thread that only reads records need not load.
 */
export { attributesBytes, readPairs, writeAttributes } from "./attributes.ts";
export { BatchBuilder } from "./batch-builder.ts";
export { decodeBatch, decodeBatchOnPool } from "./batch.ts";
export type { CodecError } from "./codec-error.ts";
export {
  CLOSE_CODES,
  CLOSE_NOTES,
  FAILED_NOTES,
  GOAWAY_NOTES,
  HTTP_NOTES,
  HTTP_STATUSES,
  REJECT_NOTES,
  RESET_NOTES,
} from "./codes.ts";
export type {
  CloseCode,
  CloseReason,
  CodeNote,
  FailedCode,
  GoawayReason,
  HttpReason,
  RejectCode,
  ResetReason,
} from "./codes.ts";
export { decodeColumns, encodeColumns } from "./columns.ts";
export { compressPayload, compressPayloadSync, decompressPayload } from "./compression.ts";
export { GAP_CAUSES, PAYLOAD_CODEC_ZSTD } from "./frame.ts";
export type {
  AdvanceFrame,
  BatchFrame,
  Frame,
  FramePosition,
  GapCause,
  GapFrame,
  GapRange,
} from "./frame.ts";
export { decodeMessage } from "./frame-decode.ts";
export type { FrameError } from "./frame-decode.ts";
export { encodeFrame, encodeMessage } from "./frame-encode.ts";
export { LIMITS } from "./limits.ts";
export { claimedRawBytes } from "./message-claim.ts";
export type { Limits } from "./limits.ts";
export { MAX_SEVERITY, MAX_TIME_US, ORIGINAL_BYTES_ATTRIBUTE } from "./record.ts";
export type { Attributes, RecordColumns } from "./record.ts";
export {
  MAX_VARINT_BYTES,
  VarintReader,
  varintBytes,
  writeSignedVarint,
  writeVarint,
} from "./varint.ts";
export { readZstdFrame } from "./zstd-frame.ts";
export type { ZstdFrame } from "./zstd-frame.ts";
