import type { FailedCode, GoawayReason, RejectCode, ResetReason } from "./codes.ts";

/**
 * Control messages: one JSON object per WebSocket text message. Cursors are base64 on the wire and
 * bytes here. Stream numbers are chosen by the agent, per connection.
 */

/** The version that `hello` and the subprotocol name. */
export const PROTOCOL_VERSION = 1;
export const SUBPROTOCOL = "sluice.v1";

export type Labels = Readonly<Record<string, string>>;

/** First message of a connection, from the agent. */
export interface HelloMessage {
  readonly type: "hello";
  readonly protocol: number;
  /** A UUID in lower case, minted once per installation. */
  readonly agentId: string;
  /** A nonce per start of the agent: tells a reconnect from a clone. */
  readonly instance: string;
  readonly hostname: string;
  readonly version: string;
  readonly labels: Labels;
  /** The sender's clock, for reporting skew; never used for ordering. */
  readonly clockUs: number;
}

/** What the collector grants; never above `LIMITS`. */
export interface GrantedLimits {
  readonly batchRawBytes: number;
  readonly batchRecords: number;
  readonly recordBytes: number;
  readonly framePayloadBytes: number;
  readonly streamsPerAgent: number;
}

/** A stream that the collector knows and that is not finished. */
export interface UnfinishedStream {
  readonly source: string;
  readonly generation: number;
  readonly cursor: Uint8Array;
  readonly nextSeq: number;
}

/** Answer to `hello`. */
export interface WelcomeMessage {
  readonly type: "welcome";
  /** Identity of the collector's store, a UUID: checkpoints are kept per store. */
  readonly storeId: string;
  readonly creditBytes: number;
  readonly limits: GrantedLimits;
  readonly clockUs: number;
  readonly streams: readonly UnfinishedStream[];
  /** More streams follow in an `unfinished` message. */
  readonly more: boolean;
}

/** Continues the list of streams in `welcome` where it does not fit into one message. */
export interface UnfinishedMessage {
  readonly type: "unfinished";
  readonly streams: readonly UnfinishedStream[];
  readonly more: boolean;
}

export interface OpenStream {
  readonly stream: number;
  readonly source: string;
  readonly generation: number;
  /** Where the stream begins if the collector does not know it; fsynced before it is sent. */
  readonly initialCursor: Uint8Array;
  readonly labels: Labels;
}

export interface OpenMessage {
  readonly type: "open";
  readonly streams: readonly OpenStream[];
}

/** Where a stream stands: what the next frame must carry. */
export interface StreamPosition {
  readonly stream: number;
  readonly epoch: number;
  readonly ordinal: number;
  readonly nextSeq: number;
}

export interface OpenedStream extends StreamPosition {
  readonly cursor: Uint8Array;
  /** The collector did not know the stream and committed its initial cursor. */
  readonly created: boolean;
}

export interface OpenedMessage {
  readonly type: "opened";
  readonly streams: readonly OpenedStream[];
}

/** Cumulative: every frame of the epoch below `ordinal` is committed and fsynced. */
export interface AckMessage {
  readonly type: "ack";
  readonly streams: readonly StreamPosition[];
}

/** The new position of a stream after a frame that does not fit. */
export interface ResetStream extends StreamPosition {
  readonly cursor: Uint8Array;
  readonly reason: ResetReason;
}

export interface ResetMessage {
  readonly type: "reset";
  readonly streams: readonly ResetStream[];
}

/** A frame can never be accepted. The position is the one after the reset that it implies. */
export interface RejectMessage extends StreamPosition {
  readonly type: "reject";
  readonly cursor: Uint8Array;
  readonly code: RejectCode;
  readonly detail: string;
}

/** The agent's whole credit from now on, in uncompressed bytes that may be unacknowledged. */
export interface CreditMessage {
  readonly type: "credit";
  readonly bytes: number;
}

export interface GoawayMessage {
  readonly type: "goaway";
  readonly reason: GoawayReason;
  readonly retryAfterMs?: number;
}

/** The agent is to make a new key, and have it added beside the one in use: `POST /rotate`. */
export interface RotateMessage {
  readonly type: "rotate";
}

export interface StreamBacklog {
  readonly stream: number;
  /** Bytes of the source that are not acknowledged. */
  readonly behindBytes: number;
  /** Age of the oldest record that was read and is not acknowledged; 0 where there is none. */
  readonly oldestUnackedMs: number;
}

export interface ReportMessage {
  readonly type: "report";
  readonly streams: readonly StreamBacklog[];
}

/** One stream (or, without a number, the last request) cannot be served. */
export interface FailedMessage {
  readonly type: "failed";
  readonly stream?: number;
  readonly code: FailedCode;
  readonly message: string;
}

export type AgentMessage = HelloMessage | OpenMessage | ReportMessage;

export type CollectorMessage =
  | WelcomeMessage
  | UnfinishedMessage
  | OpenedMessage
  | AckMessage
  | ResetMessage
  | RejectMessage
  | CreditMessage
  | GoawayMessage
  | RotateMessage
  | FailedMessage;

export type ControlMessage = AgentMessage | CollectorMessage;
