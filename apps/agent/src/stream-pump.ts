import type { ReadOutcome, StreamReader } from "@sluice/tail";

import type { Batcher } from "./batcher.ts";
import type { BuilderPool } from "./builder-pool.ts";
import { endNotes, holeNote } from "./gap-note.ts";
import type { LineFramer } from "./line-framer.ts";
import { PumpLease } from "./pump-lease.ts";
import type { Pump } from "./pump.ts";
import { NOTHING_FILTERED, type SealedBatch } from "./sealed-batch.ts";
import type { StreamLedger } from "./stream-ledger.ts";

export interface PumpParts {
  readonly key: number;
  readonly epoch: number;
  readonly reader: StreamReader;
  readonly framer: LineFramer;
  readonly pool: BuilderPool;
  readonly batcher: Batcher;
  readonly ledger: StreamLedger;
  readonly clockUs: () => number;
}

/** The pump of bytes that need no processing: lines become records where they were read to. */
export class StreamPump implements Pump {
  readonly #parts: PumpParts;
  readonly #lease: PumpLease;
  /** End of the bytes in the lease's buffer. */
  #filled = 0;
  /** File offset of the buffer's byte 0, moved on by what was cut from the lines in it. */
  #baseOffset: number;
  /** Offset behind the last record that was sealed. */
  #sealedOffset: number;

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.#lease = new PumpLease(parts.pool);
    this.#baseOffset = parts.reader.offset;
    this.#sealedOffset = parts.reader.offset;
  }

  get canSeal(): boolean {
    return this.#lease.canSeal;
  }

  get bufferedBytes(): number {
    return this.#filled;
  }

  get behindBytes(): number {
    return this.#parts.reader.behindBytes;
  }

  get payloadBytes(): number {
    return this.#lease.builder.payloadBytes;
  }

  get maxSeverity(): number {
    return this.#lease.builder.maxSeverity;
  }

  /** The beginning of the next line moves to a fresh buffer. */
  seal(): SealedBatch {
    const { key, epoch, reader, framer, ledger } = this.#parts;
    const { builder } = this.#lease;
    const bodyBytes = builder.bodiesBytes;
    const rest = builder.buffer.subarray(bodyBytes, this.#filled);
    // What was cut from the line behind these records is counted already, and they end before it.
    const endOffset = this.#baseOffset + bodyBytes - framer.pendingCutBytes;
    ledger.add({ storedBytes: endOffset - this.#sealedOffset });
    this.#sealedOffset = endOffset;
    const cursor = ledger.seal(reader.cursorAt(endOffset));
    const lease = this.#lease.exchange(rest, reader.behindBytes);
    this.#baseOffset += bodyBytes;
    this.#filled = rest.length;
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
      filtered: NOTHING_FILTERED,
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { batcher, framer } = this.#parts;
    framer.reset();
    try {
      for (;;) {
        const outcome = await this.#read(signal);
        switch (outcome.kind) {
          case "bytes":
            await this.#take(outcome.length, signal);
            break;
          case "idle":
            if (this.canSeal) {
              batcher.ready(this);
            }
            await this.#rest(signal);
            break;
          case "hole":
            await this.#passHole(outcome, signal);
            break;
          case "ended":
          case "lost":
            await this.#finish(outcome, signal);
            return;
          default:
            outcome satisfies never;
        }
      }
    } finally {
      batcher.withdraw(this);
      this.#lease[Symbol.dispose]();
    }
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const { reader } = this.#parts;
    await this.#lease.rest(this.#filled === 0, () => reader.changed(signal));
  }

  async #read(signal: AbortSignal): Promise<ReadOutcome> {
    const { reader } = this.#parts;
    this.#lease.fit(this.#filled, reader.behindBytes);
    const { builder, limitBytes } = this.#lease;
    const target = builder.buffer.subarray(0, limitBytes);
    return this.#lease.reading(() => reader.read(target, this.#filled, signal));
  }

  async #take(length: number, signal: AbortSignal): Promise<void> {
    const { batcher, framer, clockUs } = this.#parts;
    let scanFrom = this.#filled;
    this.#filled += length;
    for (;;) {
      const framing = framer.frame(this.#lease.builder, scanFrom, this.#filled, clockUs());
      this.#filled = framing.filled;
      this.#baseOffset += framing.cutBytes;
      const hasNoRoom = framing.isFull || this.#filled >= this.#lease.limitBytes;
      if (hasNoRoom && this.#lease.builder.count > 0) {
        await batcher.submit(this, signal);
        if (framing.isFull) {
          scanFrom = 0;
          continue;
        }
      } else if (this.canSeal) {
        batcher.ready(this);
      }
      return;
    }
  }

  async #finish(
    outcome: Extract<ReadOutcome, { kind: "ended" | "lost" }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { reader, batcher, ledger, key, epoch } = this.#parts;
    await this.#empty(signal);
    batcher.note(key, epoch, ...endNotes(outcome, reader.cursorAt(reader.offset), ledger));
  }

  async #passHole(hole: { offset: number; length: number }, signal: AbortSignal): Promise<void> {
    const { reader, batcher, ledger, key, epoch } = this.#parts;
    await this.#empty(signal);
    batcher.note(key, epoch, holeNote(hole, reader.cursorAt(reader.offset), ledger));
    this.#baseOffset = reader.offset;
    this.#sealedOffset = reader.offset;
  }

  /** Whatever was read is a record now, terminated or not, and has been taken. */
  async #empty(signal: AbortSignal): Promise<void> {
    if (this.#filled > this.#lease.builder.bodiesBytes) {
      await this.#takeUnterminated(signal);
    }
    if (this.canSeal) {
      await this.#parts.batcher.submit(this, signal);
    }
  }

  /** The last line of a finished file has no LF: it is a record all the same. */
  async #takeUnterminated(signal: AbortSignal): Promise<void> {
    const { batcher, framer, clockUs } = this.#parts;
    for (;;) {
      this.#lease.fit(this.#filled, 0);
      const { builder } = this.#lease;
      const scanFrom = this.#filled;
      builder.buffer[this.#filled] = 0x0a;
      const framing = framer.frame(builder, scanFrom, this.#filled + 1, clockUs());
      if (!framing.isFull) {
        this.#filled = framing.filled;
        this.#baseOffset += framing.cutBytes - 1;
        return;
      }
      await batcher.submit(this, signal);
    }
  }
}
