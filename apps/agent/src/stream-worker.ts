import { setTimeout } from "node:timers/promises";
import type { GapRange, RejectedFrame } from "@sluice/protocol";
import type { Result } from "@sluice/quantity";
import {
  type CursorInvalid,
  type EntryReader,
  fileOffset,
  type Source,
  type StreamKey,
  type StreamReader,
  type TailStream,
} from "@sluice/tail";

import type { AgentEvent } from "./agent-event.ts";
import type { ProcessingSettings } from "./agent-settings.ts";
import type { Batcher } from "./batcher.ts";
import type { BuilderPool } from "./builder-pool.ts";
import { writeDeadEntries, writeDeadLetter } from "./dead-letter.ts";
import { EntryFeed } from "./entry-feed.ts";
import { cursorLostNotes } from "./gap-note.ts";
import { LineFeed } from "./line-feed.ts";
import { LineFramer } from "./line-framer.ts";
import { noCounts, type ProcessingCounts } from "./processing/processing-counts.ts";
import { Processor } from "./processing/processor.ts";
import type { Pump } from "./pump.ts";
import { RecordPump } from "./record-pump.ts";
import type { Note } from "./sealed-batch.ts";
import { Stamper } from "./stamp/stamper.ts";
import { type AckedAmount, StreamMeter } from "./status/stream-meter.ts";
import { decodeStreamCursor, difference, StreamLedger } from "./stream-ledger.ts";
import { StreamPump } from "./stream-pump.ts";
import { encodingOfMark, MARK_BYTES } from "./transcoder.ts";

/** Until a stream that could not be read is tried again; twice as long each time that nothing comes of it. */
const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;

export interface StreamWorkerParts {
  readonly key: number;
  readonly source: Source;
  readonly stream: TailStream;
  /** Asked at each rewind: a reload may have changed it. */
  readonly processing: () => ProcessingSettings | undefined;
  /** Where what the source's rules do is counted. */
  readonly processingCounts: () => ProcessingCounts;
  /** Of a file that is not UTF-8; undefined where none is declared. */
  readonly encoding?: () => string | undefined;
  readonly pool: BuilderPool;
  readonly batcher: Batcher;
  readonly deadLetterDir: string;
  readonly emit: (event: AgentEvent) => void;
}

/** Where the collector wants the stream to be read from. */
export interface Rewind {
  readonly epoch: number;
  readonly nextSeq: number;
  readonly cursor: Uint8Array;
  readonly rejected: RejectedFrame | undefined;
}

/** `waiting`: for the collector to open it; `held`: the collector takes nothing of it any more. */
export type WorkerState = "waiting" | "reading" | "held";

/** One stream of the agent: its reader, and the pump that is running for the epoch at hand. */
export class StreamWorker {
  readonly #parts: StreamWorkerParts;
  readonly #reader: StreamReader | EntryReader;
  readonly #stamper = new Stamper();
  readonly #framer = new LineFramer(this.#stamper);
  readonly #meter = new StreamMeter(performance.now());
  #pump: Pump | undefined;
  #isHeld = false;
  /** The source's cursor at the stream's end, where that turned out to be stored. */
  #end: Uint8Array | undefined;
  #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: StreamWorkerParts) {
    this.#parts = parts;
    this.#reader = parts.source.reader(parts.stream);
  }

  get stream(): StreamKey {
    const { source, generation } = this.#parts.stream;
    return { source, generation };
  }

  /** Bytes in the file that no batch holds yet. */
  get behindBytes(): number {
    return this.#reader.behindBytes + (this.#pump?.bufferedBytes ?? 0);
  }

  get meter(): StreamMeter {
    return this.#meter;
  }

  get state(): WorkerState {
    return this.#isHeld ? "held" : this.#pump === undefined ? "waiting" : "reading";
  }

  /** Bytes of the source that are not acknowledged, `unackedBytes` of them on their way. */
  lagBytes(unackedBytes: number): number {
    const reader = this.#reader;
    if (reader.kind === "entries") {
      return this.behindBytes + unackedBytes;
    }
    const acked = this.#meter.offset ?? fileOffset(this.#parts.stream.ackedCursor) ?? 0;
    return Math.max(0, reader.offset + reader.behindBytes - acked);
  }

  /** Reads on from where the collector says, under a new epoch; what was read before is void. */
  rewind(to: Rewind): void {
    this.pause();
    this.#meter.rewound(to.nextSeq, to.cursor);
    const abort = this.#abort;
    this.#running = this.#running
      .then(() => this.#run(to, abort.signal))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) {
          this.#parts.emit({ kind: "failed", error });
        }
      });
  }

  /** Stops reading until the next rewind. */
  pause(): void {
    this.#abort.abort(new Error("the stream is repositioned"));
    this.#abort = new AbortController();
    this.#pump = undefined;
  }

  /** Stops reading for good: the collector takes nothing of this stream any more. */
  hold(): void {
    this.#isHeld = true;
    this.pause();
  }

  acked(nextSeq: number, cursor: Uint8Array): AckedAmount {
    if (this.#end === undefined) {
      this.#moveTo(decodeStreamCursor(cursor).source);
    }
    return this.#meter.acked(nextSeq, cursor, performance.now());
  }

  /** The stream's end is stored: its descriptor is closed and its file remembered as done. */
  async finish(): Promise<void> {
    await this.stop();
    if (this.#end === undefined) {
      this.#parts.source.finish(this.stream);
    } else {
      unwrapCursor(this.#parts.source.finishAt(this.stream, this.#end));
    }
  }

  async stop(): Promise<void> {
    this.pause();
    await this.#running;
    await this.#reader[Symbol.asyncDispose]();
  }

  async #run(to: Rewind, signal: AbortSignal): Promise<void> {
    let from: Uint8Array | undefined;
    let waitMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      let ledger: StreamLedger | undefined;
      try {
        from ??=
          to.rejected === undefined ? to.cursor : await this.#setAside(to, to.rejected, signal);
        ledger = new StreamLedger(decodeStreamCursor(from).counts);
        await this.#read(to, from, ledger, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        // A disk that fails once may work again long before the next connection.
        this.#parts.emit({ kind: "failed", error });
        if (ledger?.sealed !== undefined) {
          from = ledger.sealed;
          waitMs = FIRST_RETRY_MS;
        }
        await setTimeout(waitMs, undefined, { signal, ref: false });
        waitMs = Math.min(2 * waitMs, MOST_RETRY_MS);
      }
    }
  }

  /** Reads on from a cursor, to the stream's end. */
  async #read(
    to: Rewind,
    from: Uint8Array,
    ledger: StreamLedger,
    signal: AbortSignal,
  ): Promise<void> {
    const { key, batcher } = this.#parts;
    const { source, isEnd } = decodeStreamCursor(from);
    this.#end = isEnd ? source : undefined;
    if (isEnd) {
      // This agent was killed before it had noted that, or had heard of it. The file may be gone.
      batcher.note(key, to.epoch, { kind: "final", cursor: from });
      return;
    }
    const sought = await this.#reader.seek(source);
    if (signal.aborted) {
      return;
    }
    if (!sought.ok) {
      batcher.note(key, to.epoch, ...cursorLostNotes(sought.error, source, ledger));
      return;
    }
    if (from === to.cursor) {
      this.#moveTo(source); // As good as an ack, and the ack may have been lost.
    }
    const encoding = await this.#findEncoding(signal);
    if (signal.aborted) {
      return;
    }
    const pump = this.#createPump(to.epoch, source, ledger, encoding);
    this.#pump = pump;
    await pump.run(signal);
  }

  /** Everything before the source's cursor is stored. */
  #moveTo(cursor: Uint8Array): void {
    unwrapCursor(this.#parts.source.acked(this.stream, cursor));
  }

  /** As declared, or as a byte order mark says; a file that is empty is waited for. */
  async #findEncoding(signal: AbortSignal): Promise<string | undefined> {
    const reader = this.#reader;
    const declared = this.#parts.encoding?.();
    if (declared !== undefined || reader.kind !== "bytes") {
      return declared;
    }
    if ((await reader.head(MARK_BYTES)).length === 0) {
      await reader.changed(signal);
    }
    return encodingOfMark(await reader.head(MARK_BYTES));
  }

  /** Lines that are shipped as they are take the short way. */
  #createPump(
    epoch: number,
    from: Uint8Array,
    ledger: StreamLedger,
    encoding: string | undefined,
  ): Pump {
    const { key, pool, batcher, processing } = this.#parts;
    const parts = { key, epoch, pool, batcher, ledger, clockUs };
    const reader = this.#reader;
    const settings = processing();
    if (reader.kind === "bytes" && settings === undefined && encoding === undefined) {
      return new StreamPump({ ...parts, reader, framer: this.#framer });
    }
    const feed =
      reader.kind === "bytes"
        ? new LineFeed(reader, { multiline: settings?.multiline, encoding })
        : new EntryFeed(reader, from);
    const counts = settings === undefined ? noCounts() : this.#parts.processingCounts();
    const processor = new Processor(this.#stamper, settings, counts);
    return new RecordPump({ ...parts, feed, processor });
  }

  /** Keeps the bytes of a rejected batch for a human and sends a gap in their place. */
  async #setAside(to: Rewind, rejected: RejectedFrame, signal: AbortSignal): Promise<Uint8Array> {
    const { key, batcher, deadLetterDir, emit } = this.#parts;
    const { code, detail } = rejected;
    const before = decodeStreamCursor(to.cursor);
    const after = decodeStreamCursor(rejected.cursorAfter);
    const reader = this.#reader;
    const missing = difference(after.counts, before.counts);
    const frame = { ...rejected, cursorAfter: after.source };
    let kept: GapRange | "unknown" = "unknown";
    try {
      if (reader.kind === "bytes") {
        kept = await writeDeadLetter(deadLetterDir, reader, before.source, frame);
      } else {
        await writeDeadEntries(deadLetterDir, reader, before.source, frame, signal);
      }
    } catch (error) {
      signal.throwIfAborted();
      emit({ kind: "failed", error }); // A full disk: the stream goes on all the same.
    }
    emit({ kind: "rejected", ...this.stream, code, detail });
    // What was to be stored is a gap now; what rules dropped between its records stays dropped.
    const ledger = new StreamLedger(before.counts);
    const { storedBytes, filteredBytes, filteredRecords } = missing;
    ledger.add({ gapBytes: storedBytes, filteredBytes, filteredRecords });
    const cursor = ledger.seal(after.source);
    const gap: Note = {
      kind: "gap",
      cursor,
      cause: "rejected",
      range: { ...(kept === "unknown" ? {} : kept), bytes: storedBytes },
      count: rejected.count,
      detail: `${code}: ${detail}`,
    };
    const filtered = { records: filteredRecords, bytes: filteredBytes };
    const dropped: Note[] = filteredRecords > 0 ? [{ kind: "advance", cursor, filtered }] : [];
    batcher.note(key, to.epoch, gap, ...dropped);
    return cursor;
  }
}

function unwrapCursor(taken: Result<void, CursorInvalid>): void {
  if (!taken.ok) {
    throw new Error(`an acknowledged cursor is not this stream's: ${taken.error.detail}`);
  }
}

function clockUs(): number {
  return Date.now() * 1000;
}
