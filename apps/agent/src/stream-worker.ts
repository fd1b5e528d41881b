import type { RejectedFrame } from "@sluice/protocol";
import type { Source, StreamKey, StreamReader, TailStream } from "@sluice/tail";

import type { AgentEvent } from "./agent-event.ts";
import type { Batcher } from "./batcher.ts";
import type { BuilderPool } from "./builder-pool.ts";
import { writeDeadLetter } from "./dead-letter.ts";
import { LineFramer } from "./line-framer.ts";
import { Stamper } from "./stamp/stamper.ts";
import { StreamPump } from "./stream-pump.ts";

export interface StreamWorkerParts {
  readonly key: number;
  readonly source: Source;
  readonly stream: TailStream;
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
  readonly #reader: StreamReader;
  readonly #framer = new LineFramer(new Stamper());
  #pump: StreamPump | undefined;
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
    const moved = this.#parts.source.acked(this.stream, cursor);
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
    const { key, pool, batcher } = this.#parts;
    if (signal.aborted) {
      return;
    }
    const from = to.rejected === undefined ? to.cursor : await this.#setAside(to, to.rejected);
    const sought = await this.#reader.seek(from);
    if (signal.aborted) {
      return;
    }
    if (!sought.ok) {
      const known = sought.error.code === "cursor-lost" ? sought.error.knownBytes : undefined;
      batcher.note(key, to.epoch, {
        kind: "gap",
        cursor: from,
        cause: "cursor_lost",
        range: known === undefined ? "unknown" : { bytes: known },
        count: 0,
        detail: sought.error.detail,
      });
      batcher.note(key, to.epoch, { kind: "final", cursor: from });
      return;
    }
    const pump = new StreamPump({
      key,
      epoch: to.epoch,
      reader: this.#reader,
      framer: this.#framer,
      pool,
      batcher,
      clockUs: () => Date.now() * 1000,
    });
    this.#pump = pump;
    await pump.run(signal);
  }

  /** Keeps the bytes of a rejected batch for a human and sends a gap in their place. */
  async #setAside(to: Rewind, rejected: RejectedFrame): Promise<Uint8Array> {
    const { key, batcher, deadLetterDir, emit } = this.#parts;
    const { code, detail } = rejected;
    const range = await writeDeadLetter(deadLetterDir, this.#reader, to.cursor, rejected);
    emit({ kind: "rejected", ...this.stream, code, detail });
    batcher.note(key, to.epoch, {
      kind: "gap",
      cursor: rejected.cursorAfter,
      cause: "rejected",
      range,
      count: rejected.count,
      detail: `${code}: ${detail}`,
    });
    return rejected.cursorAfter;
  }
}
