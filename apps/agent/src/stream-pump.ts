import { type GapCause, LIMITS } from "@sluice/protocol";
import type { ReadOutcome, StreamReader } from "@sluice/tail";

import type { Batcher } from "./batcher.ts";
import type { BuilderPool, Lease } from "./builder-pool.ts";
import type { LineFramer } from "./line-framer.ts";
import type { SealedBatch } from "./sealed-batch.ts";

export interface PumpParts {
  readonly key: number;
  readonly epoch: number;
  readonly reader: StreamReader;
  readonly framer: LineFramer;
  readonly pool: BuilderPool;
  readonly batcher: Batcher;
  readonly clockUs: () => number;
}

/**
 * Moves one stream from its reader into batches, for one epoch: a rewind ends the pump, and a new
 * one begins at the cursor. It stops reading while a full batch waits for credit; the file is its
 * own buffer.
 */
export class StreamPump {
  readonly #parts: PumpParts;
  #lease: Lease;
  /** End of the bytes in the lease's buffer. */
  #filled = 0;
  /** File offset of the buffer's byte 0, moved on by what was cut from the lines in it. */
  #baseOffset: number;
  #isReading = false;

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.#lease = parts.pool.acquire(0);
    this.#baseOffset = parts.reader.offset;
  }

  /** Records are complete, and no read is under way that could still move bytes. */
  get canSeal(): boolean {
    return !this.#isReading && this.#lease.builder.count > 0;
  }

  /** Bytes read and not sealed. */
  get bufferedBytes(): number {
    return this.#filled;
  }

  /** Takes the complete records; the beginning of the next line moves to a fresh buffer. */
  seal(): SealedBatch {
    const { key, epoch, reader, framer, pool } = this.#parts;
    const { builder } = this.#lease;
    const sealed = this.#lease;
    const bodyBytes = builder.bodiesBytes;
    const rest = builder.buffer.subarray(bodyBytes, this.#filled);
    // What was cut from the line behind these records is counted already, and they end before it.
    const cursor = reader.cursorAt(this.#baseOffset + bodyBytes - framer.pendingCutBytes);
    this.#lease = pool.acquire(rest.length);
    rest.copy(this.#lease.builder.buffer, 0);
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
    };
  }

  /** Runs until the stream is finished or the signal aborts; aborting rejects with its reason. */
  async run(signal: AbortSignal): Promise<void> {
    const { reader, batcher, framer } = this.#parts;
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
            await reader.changed(signal);
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

  async #read(signal: AbortSignal): Promise<ReadOutcome> {
    if (this.#lease.limitBytes - this.#filled < 1) {
      this.#exchange();
    }
    const { builder, limitBytes } = this.#lease;
    this.#isReading = true;
    try {
      return await this.#parts.reader.read(
        builder.buffer.subarray(0, limitBytes),
        this.#filled,
        signal,
      );
    } finally {
      this.#isReading = false;
    }
  }

  /** The buffer is full of one unfinished line: it goes on in a large one. */
  #exchange(): void {
    const old = this.#lease;
    this.#lease = this.#parts.pool.acquire(LIMITS.batchRawBytes);
    old.builder.buffer.copy(this.#lease.builder.buffer, 0, 0, this.#filled);
    this.#parts.pool.release(old);
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
    const { reader, batcher, key, epoch } = this.#parts;
    const { builder } = this.#lease;
    if (this.#filled > builder.bodiesBytes) {
      await this.#takeUnterminated(signal);
    }
    if (this.canSeal) {
      await batcher.submit(this, signal);
    }
    const cursor = reader.cursorAt(reader.offset);
    if (outcome.kind === "lost") {
      const { reason, fromByte, knownBytes } = outcome;
      batcher.note(key, epoch, {
        kind: "gap",
        cursor,
        cause: reason === "truncated" || reason === "deleted" ? reason : lostCause(reason),
        range: knownBytes === undefined ? "unknown" : { fromByte, bytes: knownBytes },
        count: 0,
        detail: "",
      });
    }
    batcher.note(key, epoch, { kind: "final", cursor });
  }

  /** The last line of a finished file has no LF: it is a record all the same. */
  async #takeUnterminated(signal: AbortSignal): Promise<void> {
    const { batcher, framer, clockUs } = this.#parts;
    for (;;) {
      const { builder } = this.#lease;
      if (this.#filled >= this.#lease.limitBytes) {
        this.#exchange();
        continue;
      }
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

function lostCause(reason: "deadline" | "cursor-lost"): GapCause {
  return reason === "deadline" ? "deleted" : "cursor_lost";
}
