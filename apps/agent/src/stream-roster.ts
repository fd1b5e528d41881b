import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { AgentEffect, StreamOffer } from "@sluice/protocol";
import { fileOffset, type StreamKey, type TailStream } from "@sluice/tail";

import type { AgentEvent } from "./agent-event.ts";
import type { Batcher } from "./batcher.ts";
import type { BuilderPool } from "./builder-pool.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { ConfiguredSource } from "./configured-source.ts";
import type { ProcessingCounts } from "./processing/processing-counts.ts";
import { emptyLedger, encodeStreamCursor } from "./stream-ledger.ts";
import type { AckedAmount } from "./status/stream-meter.ts";
import { StreamWorker } from "./stream-worker.ts";

/** Until the state is tried again on a disk that did not take it. */
const STATE_RETRY_MS = 5_000;

type Rewind = Extract<AgentEffect, { kind: "rewind" }>;
type Acked = Extract<AgentEffect, { kind: "acked" }>;

interface Arrival {
  readonly owner: ConfiguredSource;
  readonly stream: TailStream;
}

export interface StreamRosterParts {
  readonly checkpoints: Checkpoints;
  readonly pool: BuilderPool;
  readonly batcher: Batcher;
  readonly stateDir: string;
  readonly labels: () => Readonly<Record<string, string>>;
  /** What the rules of a source have done, over all its streams. */
  readonly processingCounts: (source: string) => ProcessingCounts;
  /** The store that the connection reaches; undefined where there is none. */
  readonly storeId: () => string | undefined;
  readonly offer: (offer: StreamOffer) => void;
  readonly forget: (key: number) => void;
  /** From the next connection on. */
  readonly relabel: (key: number, labels: StreamOffer["labels"]) => void;
  /** A stream was moved on by an ack; its end may be stored with it. */
  readonly moved: (worker: StreamWorker, amount: AckedAmount, finished: boolean) => void;
  readonly emit: (event: AgentEvent) => void;
}

/** The streams that are not finished: offered to the collector once the disk knows of them, and a worker for each. */
export class StreamRoster implements AsyncDisposable {
  readonly #parts: StreamRosterParts;
  readonly #workers = new Map<number, StreamWorker>();
  readonly #owners = new Map<number, ConfiguredSource>();
  /** Sources that are not configured any more, of which a stream may still be told. */
  readonly #removed = new WeakSet<ConfiguredSource>();
  /** Streams that appeared and are on no disk yet. */
  readonly #arrivals: Arrival[] = [];
  #isOffering = false;
  #isStopped = false;
  #nextKey = 0;

  constructor(parts: StreamRosterParts) {
    this.#parts = parts;
  }

  get workers(): ReadonlyMap<number, StreamWorker> {
    return this.#workers;
  }

  /** A stream that is to be shipped from now on. Not awaited: streams that appear together share one write. */
  add(owner: ConfiguredSource, stream: TailStream): void {
    this.#arrivals.push({ owner, stream });
    void this.#offerArrivals();
  }

  /** The connection is gone: nothing is read until the streams are opened again. */
  pause(): void {
    for (const worker of this.#workers.values()) {
      worker.pause();
    }
  }

  rewind(effect: Rewind): void {
    const worker = this.#workers.get(effect.key);
    // The connection outlives the readers: what is opened while the agent stops is not read.
    if (worker !== undefined && !this.#isStopped) {
      this.#reportRollback(worker, effect);
      worker.rewind(effect);
    }
  }

  acked({ key, cursor, nextSeq, finished }: Acked): void {
    const { checkpoints, forget, storeId } = this.#parts;
    const worker = this.#workers.get(key);
    const store = storeId();
    if (worker === undefined || store === undefined) {
      return;
    }
    const name = streamName(worker.stream);
    const amount = worker.acked(nextSeq, cursor);
    checkpoints.acked(store, name, { nextSeq, cursor });
    this.#parts.moved(worker, amount, finished);
    if (finished) {
      forget(key);
      this.#workers.delete(key);
      this.#owners.delete(key);
      checkpoints.finish(store, name, nextSeq);
      void worker.finish();
    }
  }

  /** The stream holds its position: it must not be read on. */
  stopped(key: number, code: string, detail: string): void {
    const worker = this.#workers.get(key);
    worker?.hold();
    if (worker !== undefined) {
      this.#parts.emit({ kind: "stopped-stream", ...worker.stream, code, detail });
    }
  }

  /** Streams of a source that is not configured any more: not read on, and not offered again. */
  async remove(owner: ConfiguredSource): Promise<void> {
    this.#removed.add(owner);
    const keys = [...this.#owners].filter(([, other]) => other === owner).map(([key]) => key);
    await Promise.all(
      keys.map(async (key) => {
        const worker = this.#workers.get(key);
        this.#parts.forget(key);
        this.#workers.delete(key);
        this.#owners.delete(key);
        await worker?.stop();
      }),
    );
  }

  /** The configuration has other labels. */
  relabel(): void {
    for (const [key, owner] of this.#owners) {
      this.#parts.relabel(key, this.#labelsOf(owner));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
  }

  /** A disk without room holds new streams back; their files keep the lines meanwhile. */
  async #offerArrivals(): Promise<void> {
    if (this.#isOffering) {
      return;
    }
    const { checkpoints, emit } = this.#parts;
    this.#isOffering = true;
    while (this.#arrivals.length > 0 && !this.#isStopped) {
      let written = this.#arrivals.length;
      try {
        // Initial cursors are on the disk before any collector hears of them.
        await checkpoints.write();
        for (; written > 0 && !this.#isStopped; written--) {
          const { owner, stream } = this.#arrivals.shift() as Arrival;
          this.#offer(owner, stream);
        }
      } catch (error) {
        emit({ kind: "failed", error });
        await setTimeout(STATE_RETRY_MS, undefined, { ref: false });
      }
    }
    this.#isOffering = false;
  }

  #offer(owner: ConfiguredSource, stream: TailStream): void {
    if (this.#removed.has(owner)) {
      return;
    }
    const { checkpoints, pool, batcher, stateDir, emit, offer, processingCounts } = this.#parts;
    const key = this.#nextKey++;
    const name = streamName(stream);
    const worker = new StreamWorker({
      key,
      source: owner.source,
      stream,
      processing: () => owner.settings.processing,
      processingCounts: () => processingCounts(stream.source),
      encoding: () => (owner.settings.kind === "file" ? owner.settings.encoding : undefined),
      pool,
      batcher,
      deadLetterDir: join(stateDir, "dead-letter"),
      emit,
    });
    const known = checkpoints.furthest(name);
    if (known !== undefined) {
      worker.meter.rewound(known.nextSeq, known.cursor); // until a collector says
    }
    this.#owners.set(key, owner);
    this.#workers.set(key, worker);
    offer({
      key,
      source: stream.source,
      generation: stream.generation,
      labels: this.#labelsOf(owner),
      // A store that was there before and does not know the stream lost it: from the beginning.
      // A store that is new takes over where the newest checkpoint of any other stands.
      initialCursor: (storeId: string) =>
        beginningAt(
          checkpoints.isKnownStore(storeId) && checkpoints.get(storeId, name) !== undefined
            ? stream.initialCursor
            : stream.ackedCursor,
        ),
    });
  }

  #labelsOf(owner: ConfiguredSource): StreamOffer["labels"] {
    return { ...this.#parts.labels(), ...owner.settings.labels };
  }

  #reportRollback(worker: StreamWorker, { nextSeq, cursor }: Rewind): void {
    const { checkpoints, storeId, emit } = this.#parts;
    const store = storeId() ?? "";
    const name = streamName(worker.stream);
    const known = checkpoints.get(store, name)?.nextSeq ?? checkpoints.finishedAt(store, name);
    if (known !== undefined && nextSeq < known) {
      emit({ kind: "rolled-back", ...worker.stream, records: known - nextSeq });
    }
    checkpoints.reopen(store, name);
    checkpoints.store(store).set(name, { nextSeq, cursor });
  }
}

/** How the checkpoints name a stream. */
export function streamName({ source, generation }: StreamKey): string {
  return `${generation}:${source}`;
}

/** Where a store that does not know the stream begins it: nothing is accounted yet. */
function beginningAt(source: Uint8Array): Uint8Array {
  const counts = emptyLedger(fileOffset(source) ?? 0);
  return encodeStreamCursor({ counts, source, isEnd: false });
}
