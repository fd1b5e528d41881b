import type { Result } from "@sluice/quantity";
import type { LossReason } from "./event.ts";

/** Names a stream within its host: a configured path and one file object seen there. */
export interface StreamKey {
  /** The path the stream was found at; it stays the same when the file is renamed. */
  readonly source: string;
  /** Rising per source, from 1 where no path was ever forgotten; assigned oldest first. */
  readonly generation: number;
}

/** A stream that has not been finished. Cursors are opaque, at most 4 KiB. */
export interface TailStream extends StreamKey {
  /** Where the stream begins. Fixed for the life of the stream. */
  readonly initialCursor: Uint8Array;
  /** The newest position passed to {@link Source.acked} so far, or the initial one. */
  readonly ackedCursor: Uint8Array;
}

export type StreamChange =
  | { readonly kind: "appeared"; readonly stream: TailStream }
  /** The consumer finished it: no reader will be given out for it again. */
  | { readonly kind: "ended"; readonly stream: StreamKey };

export interface CursorLost {
  readonly code: "cursor-lost";
  readonly detail: string;
  /** Bytes known to have existed past the cursor; undefined where nothing is known. */
  readonly knownBytes: number | undefined;
}

export interface CursorInvalid {
  readonly code: "cursor-invalid";
  readonly detail: string;
}

export interface StateInvalid {
  readonly code: "state-invalid";
  readonly detail: string;
}

export type EndReason =
  /** Renamed away, read to its end, and quiet for `settleMs`. */
  | "rotated"
  /** Deleted and read to its end. */
  | "deleted"
  /** Cut or replaced when everything that was seen of it had been read. */
  | "truncated";

export type ReadOutcome =
  /** `length` > 0 bytes, first byte at file offset `offset`, were written to the target. */
  | { readonly kind: "bytes"; readonly offset: number; readonly length: number }
  /** A run of NUL bytes without content, which a stale writer leaves behind a cut: it is passed over. */
  | { readonly kind: "hole"; readonly offset: number; readonly length: number }
  /** Caught up: await `changed`. */
  | { readonly kind: "idle" }
  /** Every byte was handed out and no more will come. Flush, have it acked, then `finish`. */
  | { readonly kind: "ended"; readonly reason: EndReason }
  /** What follows `fromByte` cannot be read any more. Flush, record the gap, then `finish`. */
  | {
      readonly kind: "lost";
      readonly reason: LossReason;
      readonly fromByte: number;
      readonly knownBytes: number | undefined;
    };

/**
 * Reads a stream of bytes, such as a file. One call at a time; `ended` and `lost` are final until
 * the next `seek`. A reader starts at the stream's acked cursor.
 */
export interface StreamReader extends AsyncDisposable {
  readonly kind: "bytes";
  readonly stream: StreamKey;
  /** Offset of the next byte `read` will give. */
  readonly offset: number;
  /** Bytes in the file past `offset`, as of the last look at it. */
  readonly behindBytes: number;
  /** Up to `length` of the first bytes of the file, as it is now; none where it is out of reach. */
  head(length: number): Promise<Uint8Array>;
  /** Moves to a cursor of this stream, after checking that the file is the one it means. */
  seek(cursor: Uint8Array): Promise<Result<void, CursorLost | CursorInvalid>>;
  /** Reads into `target` from index `at` to its end. Throws the signal's reason when aborted. */
  read(target: Uint8Array, at: number, signal: AbortSignal): Promise<ReadOutcome>;
  /** Resolves when `read` has something else to say than `idle`. Throws when aborted. */
  changed(signal: AbortSignal): Promise<void>;
  /**
   * The cursor at a byte offset between the last `seek` and `offset`. The bytes before it are read
   * again from the file (256 of them, from the page cache), after which the file is checked to be
   * unchanged. Where the file was cut meanwhile the cursor still names the offset, but no file will
   * answer to it. Throws a RangeError outside that range.
   */
  cursorAt(offset: number): Uint8Array;
}

/** One entry of a log that has records of its own, such as a journal. */
export interface LogEntry {
  /** The message, without a line feed at its end. May hold any bytes. */
  readonly body: Uint8Array;
  /** Length of the body before it was cut; undefined where it is whole. */
  readonly originalBytes?: number;
  /** Event time in microseconds since the Unix epoch. */
  readonly timeUs: number;
  /** syslog's severity, 0 (emergency) to 7 (debug); undefined where the entry has none. */
  readonly priority: number | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Where the stream stands behind this entry. */
  readonly cursor: Uint8Array;
}

export type EntryOutcome =
  /** At least one. */
  | { readonly kind: "entries"; readonly entries: readonly LogEntry[] }
  /** Caught up: await `changed`. */
  | { readonly kind: "idle" }
  /** Nothing that was asked for lies in front of this cursor: the stream moves on to it. */
  | { readonly kind: "passed"; readonly cursor: Uint8Array }
  /** Entries existed here that cannot be read any more; the stream goes on behind them. */
  | {
      readonly kind: "gap";
      readonly cause: "vacuumed" | "corrupt" | "cursor_lost";
      readonly detail: string;
      /** Where the stream stands behind the gap. */
      readonly cursor: Uint8Array;
    };

/** Reads a stream of entries. One call at a time. A reader starts at the stream's acked cursor. */
export interface EntryReader extends AsyncDisposable {
  readonly kind: "entries";
  readonly stream: StreamKey;
  /** Bytes of entries that were received and not handed out; the source's own backlog is unknown. */
  readonly behindBytes: number;
  /** Whether it is catching up: it had more to hand out than it holds, and not come to its end since. */
  readonly hasBacklog: boolean;
  /** Moves to any cursor. One that the journal does not have, or never had, gives a `gap` at the next read. */
  seek(cursor: Uint8Array): Promise<Result<void, CursorLost | CursorInvalid>>;
  /** Throws the signal's reason when aborted. */
  read(signal: AbortSignal): Promise<EntryOutcome>;
  /** Resolves when `read` has something else to say than `idle`. Throws when aborted. */
  changed(signal: AbortSignal): Promise<void>;
}

/** A configured source of streams. `restore` and a snapshot are taken before `start`. */
export interface Source extends AsyncDisposable {
  /** The first look at the disk; afterwards `streams` is complete and rescans run by themselves. */
  start(): Promise<void>;
  /** Looks now. Resolves when a look that began after the call is complete. */
  rescan(): Promise<void>;
  /** Streams that are not finished, ordered by source, then generation. */
  streams(): readonly TailStream[];
  /** Changes from now on; subscribe before `start` to see every stream. Ends when disposed. */
  changes(signal: AbortSignal): AsyncIterable<StreamChange>;
  /** The one reader of a stream; disposing it allows another. Throws for an unknown stream. */
  reader(stream: StreamKey): StreamReader | EntryReader;
  /** Whether a stream of this name would be this source's: whose it is, when that has to be found out. */
  covers(source: string): boolean;
  /** Everything before the cursor is stored durably. Never moves backwards within a generation. */
  acked(stream: StreamKey, cursor: Uint8Array): Result<void, CursorInvalid>;
  /** The stream's end is stored durably; its file is remembered so that it is never read again. */
  finish(stream: StreamKey): void;
  /**
   * The same where nothing was read, because the end turned out to be stored, at this cursor. Where
   * it is a cursor of another file (the numbers of streams have come again, after the state was
   * lost), this stream's file appears as a stream of another number.
   */
  finishAt(stream: StreamKey, end: Uint8Array): Result<void, CursorInvalid>;
  /** Declares an unfinished stream known elsewhere, where local state was lost. Before `start`. */
  restore(stream: StreamKey, cursor: Uint8Array): Result<void, CursorInvalid>;
  /**
   * Takes a finished stream up again at a cursor before its end, which was lost where it was stored;
   * it appears once more. False where the stream is not finished. Of a file that is gone its reader
   * says so.
   */
  reopen(stream: StreamKey, cursor: Uint8Array): Result<boolean, CursorInvalid>;
  /** Plain JSON-able state: versioned, validated when it is handed back. */
  snapshot(): unknown;
}
