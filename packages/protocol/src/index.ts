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
export { decodeAgentMessage, decodeCollectorMessage, encodeControl } from "./control-codec.ts";
export type { ControlError } from "./control-codec.ts";
export { PROTOCOL_VERSION, SUBPROTOCOL } from "./control.ts";
export type {
  AckMessage,
  AgentMessage,
  CollectorMessage,
  ControlMessage,
  CreditMessage,
  FailedMessage,
  GoawayMessage,
  GrantedLimits,
  HelloMessage,
  Labels,
  OpenedMessage,
  OpenedStream,
  OpenMessage,
  OpenStream,
  RejectMessage,
  ReportMessage,
  ResetMessage,
  ResetStream,
  RotateMessage,
  StreamBacklog,
  StreamPosition,
  UnfinishedMessage,
  UnfinishedStream,
  WelcomeMessage,
} from "./control.ts";
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
export type { Limits } from "./limits.ts";
export { MAX_SEVERITY, MAX_TIME_US, ORIGINAL_BYTES_ATTRIBUTE } from "./record.ts";
export type { Attributes, RecordColumns } from "./record.ts";
export type { AgentEffect, FrameDraft, RejectedFrame, StreamOffer } from "./agent-effect.ts";
export { AgentSession } from "./agent-session.ts";
export type { AgentIdentity } from "./agent-session.ts";
export { CollectorSession } from "./collector-session.ts";
export type { CollectorEffect, StreamOutcome, WelcomeTerms } from "./collector-session.ts";
export {
  MAX_VARINT_BYTES,
  VarintReader,
  varintBytes,
  writeSignedVarint,
  writeVarint,
} from "./varint.ts";
export { readZstdFrame } from "./zstd-frame.ts";
export type { ZstdFrame } from "./zstd-frame.ts";
