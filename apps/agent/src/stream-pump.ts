import type { ReadOutcome, StreamReader } from "@sluice/tail";

import type { Batcher } from "./batcher.ts";
import type { BuilderPool, Lease } from "./builder-pool.ts";
import { holeNote, lossNote } from "./gap-note.ts";
import type { LineFramer } from "./line-framer.ts";
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
  #lease: Lease;
  /** End of the bytes in the lease's buffer. */
  #filled = 0;
  /** File offset of the buffer's byte 0, moved on by what was cut from the lines in it. */
  #baseOffset: number;
  /** Offset behind the last record that was sealed. */
  #sealedOffset: number;
  #isReading = false;
  #isResting = false;
  #hasLease = true;

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.#lease = parts.pool.acquire(0);
    this.#baseOffset = parts.reader.offset;
    this.#sealedOffset = parts.reader.offset;
  }

  get canSeal(): boolean {
    return this.#hasLease && !this.#isReading && this.#lease.builder.count > 0;
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
    const { key, epoch, reader, framer, pool, ledger } = this.#parts;
    const { builder } = this.#lease;
    const sealed = this.#lease;
    const bodyBytes = builder.bodiesBytes;
    const rest = builder.buffer.subarray(bodyBytes, this.#filled);
    // What was cut from the line behind these records is counted already, and they end before it.
    const endOffset = this.#baseOffset + bodyBytes - framer.pendingCutBytes;
    ledger.add({ storedBytes: endOffset - this.#sealedOffset });
    this.#sealedOffset = endOffset;
    const cursor = ledger.seal(reader.cursorAt(endOffset));
    if (this.#isResting && rest.length === 0) {
      this.#hasLease = false;
    } else {
      this.#lease = pool.acquire(rest.length, reader.behindBytes);
      rest.copy(this.#lease.builder.buffer, 0);
    }
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
      lease: sealed,
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
      this.#parts.pool.release(this.#lease);
    }
  }

  /** A stream that waits and has nothing to be sent holds no buffer: there may be thousands. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { reader, pool } = this.#parts;
    this.#isResting = true;
    if (this.#filled === 0) {
      pool.release(this.#lease);
      this.#hasLease = false;
    }
    try {
      await reader.changed(signal);
    } finally {
      this.#isResting = false;
      if (!this.#hasLease) {
        this.#lease = pool.acquire(0);
        this.#hasLease = true;
      }
    }
  }

  async #read(signal: AbortSignal): Promise<ReadOutcome> {
    const { pool, reader } = this.#parts;
    this.#lease = pool.fit(this.#lease, this.#filled, reader.behindBytes);
    const { builder, limitBytes } = this.#lease;
    this.#isReading = true;
    try {
      return await reader.read(builder.buffer.subarray(0, limitBytes), this.#filled, signal);
    } finally {
      this.#isReading = false;
    }
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
    if (outcome.kind === "lost") {
      batcher.note(key, epoch, lossNote(outcome, reader.cursorAt(reader.offset), ledger));
    }
    batcher.note(key, epoch, {
      kind: "final",
      cursor: ledger.seal(reader.cursorAt(reader.offset)),
    });
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
      this.#lease = this.#parts.pool.fit(this.#lease, this.#filled, 0);
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
