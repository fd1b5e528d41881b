import { syslogSeverity } from "@sluice/quantity";
import type { EntryReader, LogEntry } from "@sluice/tail";

import { BACKLOG_BYTES } from "./lane.ts";
import type { FeedOutcome, RecordFeed, SourceRecord } from "./record-feed.ts";

/** Records of a source that has entries of its own: a journal. */
export class EntryFeed implements RecordFeed {
  readonly #reader: EntryReader;
  #cursor: Uint8Array;

  constructor(reader: EntryReader, from: Uint8Array) {
    this.#reader = reader;
    this.#cursor = from;
  }

  get bufferedBytes(): number {
    return 0;
  }

  /** Nobody knows how long a backlog is: it counts as one of a batch that is to be filled, and more. */
  get behindBytes(): number {
    const { behindBytes, hasBacklog } = this.#reader;
    return hasBacklog ? Math.max(behindBytes, BACKLOG_BYTES + 1) : behindBytes;
  }

  cursor(): Uint8Array {
    return this.#cursor;
  }

  async read(signal: AbortSignal): Promise<FeedOutcome> {
    const outcome = await this.#reader.read(signal);
    switch (outcome.kind) {
      case "entries":
        this.#cursor = outcome.entries.at(-1)?.cursor ?? this.#cursor;
        return { kind: "records", records: outcome.entries.map(toRecord) };
      case "gap":
      case "passed":
        this.#cursor = outcome.cursor;
        return outcome;
      case "idle":
        return outcome;
      default:
        return outcome satisfies never;
    }
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#reader.changed(signal);
  }
}

function toRecord(entry: LogEntry): SourceRecord {
  const { body, originalBytes, timeUs, priority, attributes, cursor } = entry;
  return {
    body,
    sourceBytes: originalBytes ?? body.length,
    ...(originalBytes !== undefined && { originalBytes }),
    timeUs,
    severity: priority === undefined ? 0 : syslogSeverity(priority),
    attributes,
    cursor: () => cursor,
  };
}
