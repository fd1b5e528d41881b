import { LIMITS, ORIGINAL_BYTES_ATTRIBUTE } from "@sluice/protocol";

import type { Batcher } from "./batcher.ts";
import type { BuilderPool } from "./builder-pool.ts";
import { endNotes, entryGapNote, holeNote } from "./gap-note.ts";
import type { ProcessedRecord, Processor } from "./processing/processor.ts";
import type { Pump } from "./pump.ts";
import { PumpLease } from "./pump-lease.ts";
import type { FeedOutcome, RecordFeed, SourceRecord } from "./record-feed.ts";
import { type FilteredCounts, NOTHING_FILTERED, type SealedBatch } from "./sealed-batch.ts";
import type { StreamLedger } from "./stream-ledger.ts";

const LF = 0x0a;
const NO_BYTES = new Uint8Array();

/** The cursor moves on over this much that rules dropped, though no record follows it. */
const ADVANCE_BYTES = 1024 * 1024;
/** Less than that waits so long for more, or for a record to travel with. */
const ADVANCE_AFTER_MS = 1_000;

export interface RecordPumpParts {
  readonly key: number;
  readonly epoch: number;
  readonly feed: RecordFeed;
  readonly processor: Processor;
  readonly pool: BuilderPool;
  readonly batcher: Batcher;
  readonly ledger: StreamLedger;
  readonly clockUs: () => number;
}

/** The pump of records that are processed one by one, or come from a source that has records of its own. */
export class RecordPump implements Pump {
  readonly #parts: RecordPumpParts;
  readonly #lease: PumpLease;
  /** The source's cursor behind the last record that was taken or dropped. */
  #cursor: (() => Uint8Array) | undefined;
  #filtered: FilteredCounts = NOTHING_FILTERED;
  #advanceTimer: NodeJS.Timeout | undefined;

  constructor(parts: RecordPumpParts) {
    this.#parts = parts;
    this.#lease = new PumpLease(parts.pool);
  }

  get canSeal(): boolean {
    return this.#lease.canSeal;
  }

  get bufferedBytes(): number {
    return this.#parts.feed.bufferedBytes + this.#lease.builder.bodiesBytes;
  }

  get behindBytes(): number {
    return this.#parts.feed.behindBytes;
  }

  get payloadBytes(): number {
    return this.#lease.builder.payloadBytes;
  }

  get maxSeverity(): number {
    return this.#lease.builder.maxSeverity;
  }

  seal(): SealedBatch {
    const { key, epoch, ledger } = this.#parts;
    const { builder } = this.#lease;
    const cursor = this.#sealCursor(ledger);
    const filtered = this.#filtered;
    this.#filtered = NOTHING_FILTERED;
    const bodyBytes = builder.bodiesBytes;
    const lease = this.#lease.exchange(NO_BYTES, 0);
    return {
      key,
      epoch,
      payload: builder.finish(),
      count: builder.count,
      minTimeUs: builder.minTimeUs,
      maxTimeUs: builder.maxTimeUs,
      bodyBytes,
      cursor,
      lease,
      filtered,
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { feed, batcher, ledger, key, epoch } = this.#parts;
    try {
      for (;;) {
        const outcome = await this.#read(signal);
        switch (outcome.kind) {
          case "records":
            await this.#take(outcome.records, signal);
            break;
          case "idle":
            this.#offer();
            await this.#rest(signal);
            break;
          case "hole":
            await this.#empty(signal);
            batcher.note(key, epoch, holeNote(outcome, feed.cursor(), ledger));
            break;
          case "gap":
            await this.#empty(signal);
            batcher.note(key, epoch, entryGapNote(outcome, ledger));
            break;
          case "passed": {
            await this.#empty(signal);
            const cursor = ledger.seal(outcome.cursor);
            batcher.note(key, epoch, { kind: "advance", cursor, filtered: NOTHING_FILTERED });
            break;
          }
          case "ended":
          case "lost":
            await this.#empty(signal);
            batcher.note(key, epoch, ...endNotes(outcome, feed.cursor(), ledger));
            return;
          default:
            outcome satisfies never;
        }
      }
    } finally {
      clearTimeout(this.#advanceTimer);
      batcher.withdraw(this);
      this.#lease[Symbol.dispose]();
    }
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const { feed } = this.#parts;
    await this.#lease.rest(this.#lease.builder.count === 0, () => feed.changed(signal));
  }

  async #read(signal: AbortSignal): Promise<FeedOutcome> {
    const { feed } = this.#parts;
    this.#lease.fit(this.#lease.builder.bodiesBytes, feed.behindBytes);
    return this.#lease.reading(() => feed.read(signal));
  }

  async #take(records: readonly SourceRecord[], signal: AbortSignal): Promise<void> {
    const { processor, ledger, batcher, clockUs } = this.#parts;
    const readAtUs = clockUs();
    for (const record of records) {
      const processed = processor.process(record, readAtUs);
      if (processed === undefined) {
        const { sourceBytes } = record;
        ledger.add({ filteredBytes: sourceBytes, filteredRecords: 1 });
        const { records: count, bytes } = this.#filtered;
        this.#filtered = { records: count + 1, bytes: bytes + sourceBytes };
      } else {
        while (!this.#add(processed, record.originalBytes)) {
          await batcher.submit(this, signal);
        }
        ledger.add({ storedBytes: record.sourceBytes });
      }
      this.#cursor = record.cursor;
    }
    if (this.#lease.builder.bodiesBytes >= this.#lease.limitBytes) {
      await batcher.submit(this, signal);
    } else if (this.canSeal) {
      batcher.ready(this);
    } else if (this.#filtered.bytes >= ADVANCE_BYTES) {
      this.#advance();
    }
  }

  /** False where the batch has no room for the record. */
  #add(record: ProcessedRecord, originalBytes: number | undefined): boolean {
    const { builder, limitBytes } = this.#lease;
    const { body, timeUs, severity, attributes } = record;
    const start = builder.bodiesBytes;
    const end = start + Math.min(body.length, LIMITS.recordBytes);
    if (builder.count > 0 && end >= limitBytes) {
      return false;
    }
    builder.buffer.set(body.subarray(0, end - start), start);
    builder.buffer[end] = LF;
    if (body.includes(LF)) {
      builder.keepLengths();
    }
    const whole = originalBytes ?? (body.length > LIMITS.recordBytes ? body.length : undefined);
    return whole === undefined
      ? builder.add(end, timeUs, severity, attributes)
      : builder.add(end, timeUs, severity, {
          ...attributes,
          [ORIGINAL_BYTES_ATTRIBUTE]: String(whole),
        });
  }

  /** Nothing more is there at the moment: what was taken or dropped may leave. */
  #offer(): void {
    if (this.canSeal) {
      this.#parts.batcher.ready(this);
    } else if (this.#filtered.records > 0) {
      this.#advanceTimer ??= setTimeout(() => this.#advance(), ADVANCE_AFTER_MS);
    }
  }

  async #empty(signal: AbortSignal): Promise<void> {
    if (this.canSeal) {
      await this.#parts.batcher.submit(this, signal);
    } else {
      this.#advance();
    }
  }

  /** The stream moves on though no record was left of what was read. */
  #advance(): void {
    const { batcher, ledger, key, epoch } = this.#parts;
    const filtered = this.#filtered;
    clearTimeout(this.#advanceTimer);
    this.#advanceTimer = undefined;
    if (filtered.records === 0 || this.#lease.hasRecords) {
      return; // They travel with the next batch.
    }
    this.#filtered = NOTHING_FILTERED;
    batcher.note(key, epoch, { kind: "advance", cursor: this.#sealCursor(ledger), filtered });
  }

  #sealCursor(ledger: StreamLedger): Uint8Array {
    if (this.#cursor === undefined) {
      throw new Error("a batch without a record");
    }
    return ledger.seal(this.#cursor());
  }
}
