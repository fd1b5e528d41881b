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
import type { LaneName } from "./lane.ts";
import { type Note, NOTHING_FILTERED, type SealedBatch } from "./sealed-batch.ts";

/** A message is sent when it holds this much, though more could join it. */
const MESSAGE_BYTES = 1024 * 1024;

/** Payloads below this are compressed at once: 24 us where a trip to the thread pool takes 243. */
const SYNC_BYTES = 32 * 1024;

/** Frames that are stored together or not at all: a message is one transaction of the collector. */
type Outgoing =
  | {
      readonly kind: "batch";
      readonly batch: SealedBatch;
      readonly round: LaneName | undefined;
      compressed: Buffer | undefined;
    }
  | {
      readonly kind: "notes";
      readonly key: number;
      readonly epoch: number;
      readonly notes: readonly Note[];
    };

export interface OutboxParts {
  readonly session: AgentSession;
  readonly pool: BuilderPool;
  /** Sends one binary message. */
  readonly send: (message: Buffer) => void;
  readonly nowMs: () => number;
  readonly clockUs: () => number;
  /** A loss takes its place in a stream. One of which the ack is lost comes again. */
  readonly onGap: () => void;
  /** Compression failed, which only a defect or a lack of memory explains. */
  readonly onError: (error: unknown) => void;
}

/** A frame that has its place in a stream. */
interface Placed {
  readonly key: number;
  readonly epoch: number;
  readonly ordinal: number;
}

/** What is sealed and not sent: compressed, given its place, and sent in the order of sealing. */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #compressed: () => void;
  readonly #outgoing: Outgoing[] = [];
  /** The last frame that was sent of each lane's rounds. */
  readonly #lastOfRounds = new Map<LaneName, Placed>();
  #reservedBytes = 0;
  #isCompressing = false;

  /** @param compressed a payload has come back from the thread pool */
  constructor(parts: OutboxParts, compressed: () => void) {
    this.#parts = parts;
    this.#compressed = compressed;
  }

  get isEmpty(): boolean {
    return this.#outgoing.length === 0;
  }

  /** Credit taken by batches that are sealed and not sent. */
  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /**
   * One batch at a time is compressed on the thread pool, which is done before the next is framed;
   * each more costs 4 MiB at full speed.
   */
  get isCompressing(): boolean {
    return this.#isCompressing;
  }

  /** Whether anything of the lane's last round has not arrived. */
  hasRoundOut(lane: LaneName): boolean {
    const last = this.#lastOfRounds.get(lane);
    return (
      this.#outgoing.some((each) => each.kind === "batch" && each.round === lane) ||
      (last !== undefined && this.#parts.session.isOnItsWay(last.key, last.epoch, last.ordinal))
    );
  }

  /** @param round the lane whose round it is of; undefined for a whole batch */
  add(batch: SealedBatch, round: LaneName | undefined): void {
    const outgoing: Outgoing = { kind: "batch", batch, round, compressed: undefined };
    this.#outgoing.push(outgoing);
    this.#reservedBytes += batch.payload.length;
    if (batch.payload.length < SYNC_BYTES) {
      outgoing.compressed = compressPayloadSync(batch.payload);
      this.#parts.pool.release(batch.lease);
      return;
    }
    this.#isCompressing = true;
    compressPayload(batch.payload)
      .then((compressed) => {
        outgoing.compressed = compressed;
        this.#isCompressing = false;
        this.#parts.pool.release(batch.lease);
        this.#compressed();
      })
      .catch(this.#parts.onError);
  }

  /** Frames without records, behind what the stream has sealed before. */
  note(key: number, epoch: number, notes: readonly Note[]): void {
    this.#outgoing.push({ kind: "notes", key, epoch, notes });
  }

  /** Sends what is compressed. */
  drain(): void {
    let encoded: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const next = this.#outgoing[0];
      if (next === undefined || (next.kind === "batch" && next.compressed === undefined)) {
        break;
      }
      this.#outgoing.shift();
      const frames = this.#place(next);
      if (encoded.length + frames.length > LIMITS.messageFrames) {
        this.#parts.send(toMessage(encoded));
        encoded = [];
        bytes = 0;
      }
      for (const frame of frames) {
        const each = encodeFrame(frame);
        encoded.push(each);
        bytes += each.length;
      }
      if (bytes >= MESSAGE_BYTES) {
        this.#parts.send(toMessage(encoded));
        encoded = [];
        bytes = 0;
      }
    }
    if (encoded.length > 0) {
      this.#parts.send(toMessage(encoded));
    }
  }

  /** The frames with their places in the stream; none where a rewind has made them void. */
  #place(outgoing: Outgoing): Frame[] {
    switch (outgoing.kind) {
      case "batch": {
        const { batch, compressed, round } = outgoing;
        this.#reservedBytes -= batch.payload.length;
        const frame = compressed && this.#placeBatch(batch, compressed);
        if (frame === undefined) {
          return [];
        }
        const { key, epoch, cursor, filtered } = batch;
        if (round !== undefined) {
          this.#lastOfRounds.set(round, { key, epoch, ordinal: frame.ordinal });
        }
        const advance: Note = { kind: "advance", cursor, filtered };
        return filtered.records === 0
          ? [frame]
          : [frame, ...this.#placeNotes(key, epoch, [advance])];
      }
      case "notes":
        return this.#placeNotes(outgoing.key, outgoing.epoch, outgoing.notes);
      default:
        return outgoing satisfies never;
    }
  }

  #placeBatch(batch: SealedBatch, payload: Buffer): Frame | undefined {
    const { session, nowMs } = this.#parts;
    const rawBytes = batch.payload.length;
    const { count, bodyBytes, cursor, minTimeUs, maxTimeUs } = batch;
    const draft = { count, creditBytes: rawBytes, bodyBytes, cursor, isFinal: false };
    const position = session.place(batch.key, batch.epoch, draft, nowMs());
    return (
      position && {
        kind: "batch",
        ...position,
        minTimeUs,
        maxTimeUs,
        rawBytes,
        codec: PAYLOAD_CODEC_ZSTD,
        payload,
      }
    );
  }

  #placeNotes(key: number, epoch: number, notes: readonly Note[]): Frame[] {
    return notes.flatMap((note) => this.#placeNote(key, epoch, note) ?? []);
  }

  #placeNote(key: number, epoch: number, note: Note): Frame | undefined {
    const { session, nowMs, clockUs } = this.#parts;
    const isFinal = note.kind === "final";
    const count = note.kind === "gap" ? note.count : 0;
    const draft = { count, creditBytes: 0, bodyBytes: 0, cursor: note.cursor, isFinal };
    const position = session.place(key, epoch, draft, nowMs());
    if (position === undefined) {
      return undefined;
    }
    switch (note.kind) {
      case "gap": {
        const { cause, range, detail } = note;
        this.#parts.onGap();
        return { kind: "gap", ...position, cause, timeUs: clockUs(), range, detail };
      }
      case "advance":
      case "final": {
        const { records, bytes } = note.kind === "advance" ? note.filtered : NOTHING_FILTERED;
        const filtered = { filteredRecords: records, filteredBytes: bytes };
        return { kind: "advance", ...position, ...filtered, final: isFinal };
      }
      default:
        return note satisfies never;
    }
  }
}

/** A frame that travels alone is not copied once more. */
function toMessage(frames: readonly Buffer[]): Buffer {
  return frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames);
}
