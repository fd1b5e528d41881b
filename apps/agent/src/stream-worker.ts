import type { RejectedFrame } from "@sluice/protocol";
import type { EntryReader, Source, StreamKey, StreamReader, TailStream } from "@sluice/tail";

import type { AgentEvent } from "./agent-event.ts";
import type { ProcessingSettings } from "./agent-settings.ts";
import type { Batcher } from "./batcher.ts";
import type { BuilderPool } from "./builder-pool.ts";
import { writeDeadLetter } from "./dead-letter.ts";
import { EntryFeed } from "./entry-feed.ts";
import { LineFeed } from "./line-feed.ts";
import { LineFramer } from "./line-framer.ts";
import { Processor } from "./processing/processor.ts";
import type { Pump } from "./pump.ts";
import { RecordPump } from "./record-pump.ts";
import { Stamper } from "./stamp/stamper.ts";
import { decodeStreamCursor, StreamLedger } from "./stream-ledger.ts";
import { StreamPump } from "./stream-pump.ts";
import { encodingOfMark } from "./transcoder.ts";

/** A byte order mark of UTF-16. */
const MARK_BYTES = 2;

export interface StreamWorkerParts {
  readonly key: number;
  readonly source: Source;
  readonly stream: TailStream;
  /** Asked at each rewind: a reload may have changed it. */
  readonly processing: () => ProcessingSettings | undefined;
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

/** One stream of the agent: its reader, and the pump that is running for the epoch at hand. */
export class StreamWorker {
  readonly #parts: StreamWorkerParts;
  readonly #reader: StreamReader | EntryReader;
  readonly #stamper = new Stamper();
  readonly #framer = new LineFramer(this.#stamper);
  #pump: Pump | undefined;
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

  /** Reads on from where the collector says, under a new epoch; what was read before is void. */
  rewind(to: Rewind): void {
    this.pause();
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

  acked(cursor: Uint8Array): void {
    const moved = this.#parts.source.acked(this.stream, decodeStreamCursor(cursor).source);
    if (!moved.ok) {
      throw new Error(`an acknowledged cursor is not this stream's: ${moved.error.detail}`);
    }
  }

  /** The stream's end is stored: its descriptor is closed and its file remembered as done. */
  async finish(): Promise<void> {
    await this.stop();
    this.#parts.source.finish(this.stream);
  }

  async stop(): Promise<void> {
    this.pause();
    await this.#running;
    await this.#reader[Symbol.asyncDispose]();
  }

  async #run(to: Rewind, signal: AbortSignal): Promise<void> {
    const { key, batcher } = this.#parts;
    if (signal.aborted) {
      return;
    }
    const from = to.rejected === undefined ? to.cursor : await this.#setAside(to, to.rejected);
    const { counts, source } = decodeStreamCursor(from);
    const ledger = new StreamLedger(counts);
    const sought = await this.#reader.seek(source);
    if (signal.aborted) {
      return;
    }
    if (!sought.ok) {
      const known = sought.error.code === "cursor-lost" ? sought.error.knownBytes : undefined;
      ledger.add({ lostBytes: known ?? 0 });
      const cursor = ledger.seal(source);
      batcher.note(key, to.epoch, {
        kind: "gap",
        cursor,
        cause: "cursor_lost",
        range: known === undefined ? "unknown" : { bytes: known },
        count: 0,
        detail: sought.error.detail,
      });
      batcher.note(key, to.epoch, { kind: "final", cursor });
      return;
    }
    const encoding = await this.#findEncoding(signal);
    if (signal.aborted) {
      return;
    }
    const pump = this.#createPump(to.epoch, source, ledger, encoding);
    this.#pump = pump;
    await pump.run(signal);
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
      reader.kind === "bytes" ? new LineFeed(reader, encoding) : new EntryFeed(reader, from);
    return new RecordPump({ ...parts, feed, processor: new Processor(this.#stamper, settings) });
  }

  /** Keeps the bytes of a rejected batch for a human and sends a gap in their place. */
  async #setAside(to: Rewind, rejected: RejectedFrame): Promise<Uint8Array> {
    const { key, batcher, deadLetterDir, emit } = this.#parts;
    const { code, detail } = rejected;
    const before = decodeStreamCursor(to.cursor);
    const after = decodeStreamCursor(rejected.cursorAfter);
    const reader = this.#reader;
    const range =
      reader.kind === "bytes"
        ? await writeDeadLetter(deadLetterDir, reader, before.source, {
            ...rejected,
            cursorAfter: after.source,
          })
        : "unknown";
    emit({ kind: "rejected", ...this.stream, code, detail });
    // What was to be stored is a gap now.
    const ledger = new StreamLedger(before.counts);
    const { storedBytes, filteredBytes, filteredRecords } = after.counts;
    ledger.add({
      gapBytes: storedBytes - before.counts.storedBytes,
      filteredBytes: filteredBytes - before.counts.filteredBytes,
      filteredRecords: filteredRecords - before.counts.filteredRecords,
    });
    const cursor = ledger.seal(after.source);
    batcher.note(key, to.epoch, {
      kind: "gap",
      cursor,
      cause: "rejected",
      range,
      count: rejected.count,
      detail: `${code}: ${detail}`,
    });
    return cursor;
  }
}

function clockUs(): number {
  return Date.now() * 1000;
}
