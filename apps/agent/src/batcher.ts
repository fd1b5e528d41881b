import {
  type AgentSession,
  compressPayload,
  compressPayloadSync,
  encodeFrame,
  type Frame,
  LIMITS,
  PAYLOAD_CODEC_ZSTD,
} from "@sluice/protocol";

import type { BuilderPool } from "./builder-pool.ts";
import type { Pump } from "./pump.ts";
import { type Note, NOTHING_FILTERED, type SealedBatch } from "./sealed-batch.ts";

/** A message is sent when it holds this much, though more could join it. */
const MESSAGE_BYTES = 1024 * 1024;

/** Payloads below this are compressed at once: 24 us where a trip to the thread pool takes 243. */
const SYNC_BYTES = 8 * 1024;

/**
 * Batches that are compressed at a time. One is enough: it is done on the thread pool before the
 * next is framed, and each more costs 4 MiB at full speed.
 */
const COMPRESSING = 1;

/** What a full batch takes of the credit: its bodies, and columns as ordinary lines make them. */
const NOMINAL_BATCH_BYTES = LIMITS.batchRawBytes + LIMITS.batchRawBytes / 4;

interface Submission {
  readonly pump: Pump;
  readonly resolve: () => void;
}

type Outgoing =
  | { readonly kind: "batch"; readonly batch: SealedBatch; compressed: Buffer | undefined }
  | { readonly kind: "note"; readonly key: number; readonly epoch: number; readonly note: Note };

export interface BatcherParts {
  readonly session: AgentSession;
  readonly pool: BuilderPool;
  /** Sends one binary message. */
  readonly send: (message: Buffer) => void;
  readonly nowMs: () => number;
  readonly clockUs: () => number;
  /** Compression failed, which only a defect or a lack of memory explains. */
  readonly onError: (error: unknown) => void;
}

/**
 * Decides what leaves when, over all streams of the connection. It clocks itself: what has
 * gathered is sent when nothing is on its way, or as soon as a stream has a whole batch; there is
 * no timer, so a lone line leaves at once and a busy host sends few large messages.
 */
export class Batcher {
  readonly #parts: BatcherParts;
  readonly #ready = new Set<Pump>();
  readonly #waiting: Submission[] = [];
  readonly #outgoing: Outgoing[] = [];
  /** Credit taken by batches that are sealed and not sent yet. */
  #reservedBytes = 0;
  #compressing = 0;

  constructor(parts: BatcherParts) {
    this.#parts = parts;
  }

  /** The pump has records that may leave when the clock allows; they may grow until then. */
  ready(pump: Pump): void {
    this.#ready.add(pump);
    if (this.#isQuiet) {
      this.flush();
    }
  }

  /** The pump has a whole batch. Resolves when it has been taken; rejects when `signal` aborts. */
  submit(pump: Pump, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(submission), 1);
        reject(signal.reason as Error);
      };
      const submission: Submission = {
        pump,
        resolve: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(submission);
      this.#admit();
      this.#drain();
    });
  }

  /** Queues a frame without records behind what the stream has submitted before. */
  note(key: number, epoch: number, note: Note): void {
    this.#outgoing.push({ kind: "note", key, epoch, note });
    this.#drain();
  }

  withdraw(pump: Pump): void {
    this.#ready.delete(pump);
  }

  /** Credit came back, a batch is compressed, or nothing is on its way any more. */
  flush(): void {
    this.#drain();
    this.#admit();
    if (this.#isQuiet) {
      this.#gather();
    }
    this.#drain();
  }

  get #isQuiet(): boolean {
    return this.#parts.session.isQuiet && this.#outgoing.length === 0;
  }

  get #hasRoom(): boolean {
    const { session } = this.#parts;
    if (this.#compressing >= COMPRESSING || session.window === 0) {
      return false;
    }
    const nothingIsOut = session.isQuiet && this.#reservedBytes === 0;
    return nothingIsOut || session.window - this.#reservedBytes >= NOMINAL_BATCH_BYTES;
  }

  /** Seals what waits for the clock; the caller drains, so that small batches share a message. */
  #gather(): void {
    for (const pump of this.#ready) {
      if (!this.#hasRoom) {
        return;
      }
      if (pump.canSeal) {
        this.#ready.delete(pump);
        this.#seal(pump);
      }
    }
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#hasRoom) {
      const { pump, resolve } = this.#waiting.shift() as Submission;
      this.#ready.delete(pump);
      this.#seal(pump);
      resolve();
    }
  }

  #seal(pump: Pump): void {
    const batch = pump.seal();
    const outgoing: Outgoing = { kind: "batch", batch, compressed: undefined };
    this.#outgoing.push(outgoing);
    this.#reservedBytes += batch.payload.length;
    if (batch.filtered.records > 0) {
      const { key, epoch, cursor, filtered } = batch;
      this.#outgoing.push({
        kind: "note",
        key,
        epoch,
        note: { kind: "advance", cursor, filtered },
      });
    }
    if (batch.payload.length < SYNC_BYTES) {
      outgoing.compressed = compressPayloadSync(batch.payload);
      this.#parts.pool.release(batch.lease);
      return;
    }
    this.#compressing += 1;
    compressPayload(batch.payload)
      .then((compressed) => {
        outgoing.compressed = compressed;
        this.#compressing -= 1;
        this.#parts.pool.release(batch.lease);
        this.flush();
      })
      .catch(this.#parts.onError);
  }

  /** Sends what is compressed, in the order in which it was sealed. */
  #drain(): void {
    let frames: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const next = this.#outgoing[0];
      if (next === undefined || (next.kind === "batch" && next.compressed === undefined)) {
        break;
      }
      this.#outgoing.shift();
      const frame = this.#place(next);
      if (frame === undefined) {
        continue;
      }
      const encoded = encodeFrame(frame);
      frames.push(encoded);
      bytes += encoded.length;
      if (bytes >= MESSAGE_BYTES || frames.length === LIMITS.messageFrames) {
        this.#parts.send(toMessage(frames));
        frames = [];
        bytes = 0;
      }
    }
    if (frames.length > 0) {
      this.#parts.send(toMessage(frames));
    }
  }

  /** The frame with its place in the stream; undefined where a rewind has made it void. */
  #place(outgoing: Outgoing): Frame | undefined {
    const { session, nowMs, clockUs } = this.#parts;
    switch (outgoing.kind) {
      case "batch": {
        const { batch, compressed } = outgoing;
        const rawBytes = batch.payload.length;
        this.#reservedBytes -= rawBytes;
        const { count, bodyBytes, cursor } = batch;
        const draft = { count, creditBytes: rawBytes, bodyBytes, cursor, isFinal: false };
        const position = session.place(batch.key, batch.epoch, draft, nowMs());
        if (position === undefined || compressed === undefined) {
          return undefined;
        }
        const { minTimeUs, maxTimeUs } = batch;
        return {
          kind: "batch",
          ...position,
          minTimeUs,
          maxTimeUs,
          rawBytes,
          codec: PAYLOAD_CODEC_ZSTD,
          payload: compressed,
        };
      }
      case "note": {
        const { key, epoch, note } = outgoing;
        const isFinal = note.kind === "final";
        const count = note.kind === "gap" ? note.count : 0;
        const filtered = note.kind === "advance" ? note.filtered : NOTHING_FILTERED;
        const draft = { count, creditBytes: 0, bodyBytes: 0, cursor: note.cursor, isFinal };
        const position = session.place(key, epoch, draft, nowMs());
        if (position === undefined) {
          return undefined;
        }
        return note.kind === "gap"
          ? {
              kind: "gap",
              ...position,
              cause: note.cause,
              timeUs: clockUs(),
              range: note.range,
              detail: note.detail,
            }
          : {
              kind: "advance",
              ...position,
              filteredRecords: filtered.records,
              filteredBytes: filtered.bytes,
              final: isFinal,
            };
      }
      default:
        return outgoing satisfies never;
    }
  }
}

/** A frame that travels alone is not copied once more. */
function toMessage(frames: readonly Buffer[]): Buffer {
  return frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames);
}
