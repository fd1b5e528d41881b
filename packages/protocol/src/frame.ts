/**
 * Binary frames. One WebSocket binary message is one or more frames back to back; PROTOCOL.md has
 * the byte layout, `frame-encode.ts` and `frame-decode.ts` carry it out.
 */

/** Where a frame belongs: which incarnation of which stream, and its place in it. */
export interface FramePosition {
  /** The number the agent gave the stream on this connection, u32. */
  readonly stream: number;
  /** Incarnation of the stream, u32. */
  readonly epoch: number;
  /** Place of the frame in its epoch, 0 to 2^53 - 1. */
  readonly ordinal: number;
  /** Sequence number that the stream must stand at, 0 to 2^53 - 1. */
  readonly firstSeq: number;
  /** How many sequence numbers the frame moves the stream by, u32; each kind says what it counts. */
  readonly count: number;
  /** Where the stream stands after the frame, opaque, at most `LIMITS.cursorBytes`. */
  readonly cursor: Uint8Array;
}

/** How a batch's payload is packed. 1 is the only one of version 1: one zstd frame. */
export const PAYLOAD_CODEC_ZSTD = 1;

/** Records. `count` is their number, 1 to `LIMITS.batchRecords`. */
export interface BatchFrame extends FramePosition {
  readonly kind: "batch";
  /** Smallest and largest event time of the records. */
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  /** Size of the payload before compression; what the batch costs of the credit. */
  readonly rawBytes: number;
  /** `PAYLOAD_CODEC_ZSTD`; another value is rejected as a batch, not as a frame. */
  readonly codec: number;
  readonly payload: Uint8Array;
}

/** Why records could not be delivered. The order is that of the codes on the wire, from 1. */
export const GAP_CAUSES = [
  "truncated",
  "deleted",
  "rotated_away",
  "rejected",
  "too_large",
  "cursor_lost",
  "rolled_back",
  "spool_overflow",
  "corrupt",
  "vacuumed",
  "unreadable",
] as const;

/**
 * - `truncated`: the file was cut before its end was read
 * - `deleted`: the file was removed before its end was read
 * - `rotated_away`: the file was rotated, and no sibling that continues it was found
 * - `rejected`: the collector refused a batch for good
 * - `too_large`: a record or a cursor exceeds the protocol's limits
 * - `cursor_lost`: the stored cursor fits nothing that exists locally
 * - `rolled_back`: the collector's store is older than the agent's checkpoint, and the difference
 *   cannot be read again
 * - `spool_overflow`: the agent's spool was full and its oldest records made room
 * - `corrupt`: the source or the spool holds bytes that cannot be read as records
 * - `vacuumed`: the journal dropped entries before they were read
 * - `unreadable`: the source exists, and reading it failed
 */
export type GapCause = (typeof GAP_CAUSES)[number];

/** What of the source is missing, as far as it is known: byte offsets (to is exclusive), bytes. */
export interface GapRange {
  readonly fromByte?: number;
  readonly toByte?: number;
  readonly bytes?: number;
}

/**
 * Something that existed and cannot be delivered. `count` is the number of records lost where that
 * is known, so that sequence numbers account for them, and 0 where it is not.
 */
export interface GapFrame extends FramePosition {
  readonly kind: "gap";
  readonly cause: GapCause;
  /** When the agent noticed, by its clock. */
  readonly timeUs: number;
  readonly range: GapRange | "unknown";
  /** A sentence for a human, at most `LIMITS.detailBytes` of UTF-8; may be empty. */
  readonly detail: string;
}

/** Bytes of the source that yield no record. `count` is 0. */
export interface AdvanceFrame extends FramePosition {
  readonly kind: "advance";
  /** Records that the agent's filters dropped since the frame before. */
  readonly filteredRecords: number;
  readonly filteredBytes: number;
  /** The stream ends here: its generation is finished, and nothing may follow. */
  readonly final: boolean;
}

export type Frame = BatchFrame | GapFrame | AdvanceFrame;
