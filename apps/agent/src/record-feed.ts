import type { EntryOutcome, ReadOutcome } from "@sluice/tail";

/** A record as its source has it, not processed yet. */
export interface SourceRecord {
  /** Without the line feed at its end; valid until the next `read` of its feed. */
  readonly body: Uint8Array;
  /** Bytes of the source that it accounts for, line ends included. */
  readonly sourceBytes: number;
  /** Offset in the source behind it, where the source is a stream of bytes. */
  readonly offset?: number;
  /** Length of the body before it was cut; undefined where it is whole. */
  readonly originalBytes?: number;
  /** Event time, where the source knows it apart from the body; microseconds since the epoch. */
  readonly timeUs?: number;
  /** Severity number, where the source knows it apart from the body; 0 where it says it has none. */
  readonly severity?: number;
  readonly attributes?: Readonly<Record<string, string>>;
  /** The source's cursor behind the record; to be asked before the next `read` but one of its feed. */
  readonly cursor: () => Uint8Array;
}

export type FeedOutcome =
  /** At least one. */
  | { readonly kind: "records"; readonly records: readonly SourceRecord[] }
  | Exclude<ReadOutcome, { kind: "bytes" }>
  | Extract<EntryOutcome, { kind: "gap" | "passed" }>;

/** Records of one stream, pulled a few at a time. One call at a time. */
export interface RecordFeed {
  /** Bytes read of which no record was given yet. */
  readonly bufferedBytes: number;
  /** Bytes that the source has and that are not read yet, as far as it is known. */
  readonly behindBytes: number;
  /** The source's cursor behind everything that was read. */
  cursor(): Uint8Array;
  /**
   * `hole`, `gap`, `passed`, `ended` and `lost` come after every record in front of them. Throws the signal's
   * reason when aborted.
   */
  read(signal: AbortSignal): Promise<FeedOutcome>;
  /** Resolves when `read` has something else to say than `idle`. Throws when aborted. */
  changed(signal: AbortSignal): Promise<void>;
}
