import {
  type AgentEffect,
  AgentSession,
  type CollectorMessage,
  decodeMessage,
  type Frame,
  LIMITS,
} from "@sluice/protocol";
import { ok } from "@sluice/quantity";
import type { Source, TailStream } from "@sluice/tail";

import type { AgentEvent } from "../src/agent-event.ts";
import type { ProcessingSettings } from "../src/agent-settings.ts";
import { noCounts, type ProcessingCounts } from "../src/processing/processing-counts.ts";
import { Batcher } from "../src/batcher.ts";
import { BuilderPool } from "../src/builder-pool.ts";
import { StreamWorker } from "../src/stream-worker.ts";
import { cursorOf, type MemoryReader } from "./memory-reader.ts";
import { CLOCK_US, recordsOf, type SentRecord } from "./wire.ts";

/** What befalls a message. Behind the last of a plan all goes well. */
export type Fate =
  | "acknowledged"
  /** Stored, and acknowledged a while later. */
  | "late"
  /** Damaged on the way: all streams are reset, nothing is stored. */
  | "corrupt"
  /** The connection breaks before the message arrives. */
  | "lost"
  /** The connection breaks when the message is stored and its ack is not sent yet. */
  | "unacknowledged"
  /** The first batch in it can never be accepted. */
  | "rejected";

interface StoredStream {
  epoch: number;
  ordinal: number;
  nextSeq: number;
  cursor: Uint8Array;
  isFinished: boolean;
  /** Final frames; where its ack was lost, one comes again. */
  finals: number;
  readonly records: SentRecord[];
  readonly gaps: Frame[];
}

/** An agent's streams from their readers to a collector that keeps to the protocol and has bad luck. */
export class ModelCollector implements AsyncDisposable {
  readonly stored: readonly StoredStream[];
  readonly events: AgentEvent[] = [];
  readonly #fates: Fate[];
  readonly #session: AgentSession;
  readonly #batcher: Batcher;
  readonly #workers: readonly StreamWorker[];
  /** Stream number of this connection -> which of the streams. */
  #numbers = new Map<number, number>();
  /** What the agent has counted. */
  readonly processingCounts: ProcessingCounts = noCounts();
  gapsSent = 0;
  #connection = 0;
  /** The connection breaks in a moment: what is sent until then goes nowhere. */
  #isBroken = false;
  #wake: () => void = () => undefined;

  constructor(
    readers: readonly MemoryReader[],
    fates: readonly Fate[],
    deadLetterDir: string,
    processing?: ProcessingSettings,
  ) {
    this.#fates = [...fates];
    this.stored = readers.map(() => ({
      epoch: 0,
      ordinal: 0,
      nextSeq: 0,
      cursor: cursorOf(0),
      isFinished: false,
      finals: 0,
      records: [],
      gaps: [],
    }));
    this.#session = new AgentSession({
      agentId: "00000000-0000-4000-8000-000000000001",
      instance: "i",
      hostname: "h",
      version: "1",
      labels: {},
    });
    const pool = new BuilderPool();
    this.#batcher = new Batcher({
      session: this.#session,
      pool,
      send: (message) => this.#arrive(message),
      nowMs: () => 0,
      clockUs: () => CLOCK_US,
      onGap: () => (this.gapsSent += 1),
      onError: (error) => this.events.push({ kind: "failed", error }),
    });
    this.#workers = readers.map((reader, key) => {
      const stream: TailStream = {
        source: `/log/${key}`,
        generation: 1,
        initialCursor: cursorOf(0),
        ackedCursor: cursorOf(0),
      };
      return new StreamWorker({
        key,
        source: sourceOf(reader),
        stream,
        processing: () => processing,
        processingCounts: () => this.processingCounts,
        pool,
        batcher: this.#batcher,
        deadLetterDir,
        emit: (event) => this.events.push(event),
      });
    });
    this.#workers.forEach(({ stream }, key) => {
      this.#session.offer({ key, ...stream, initialCursor, labels: {} });
    });
  }

  /** Resolves when what is stored is so; it is asked behind each message. */
  async until(isStored: (stored: readonly StoredStream[]) => boolean): Promise<void> {
    while (!isStored(this.stored)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** Resolves when the end of each stream is stored. */
  untilFinished(): Promise<void> {
    return this.until((stored) => stored.every(({ isFinished }) => isFinished));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  /** Begins a connection; after a break the next one begins by itself. */
  connect(): void {
    this.#connection += 1;
    this.#isBroken = false;
    this.#numbers = new Map();
    this.#perform(this.#session.connected(CLOCK_US));
    this.#receive({
      type: "welcome",
      storeId: "s",
      creditBytes: LIMITS.creditPerAgentBytes,
      limits: {} as never,
      clockUs: CLOCK_US,
      streams: [],
      more: false,
    });
  }

  #break(): void {
    this.#isBroken = true;
    queueMicrotask(() => {
      this.#session.disconnected();
      this.#workers.forEach((worker) => worker.pause());
      setImmediate(() => this.connect());
    });
  }

  /** Replies of a connection that is gone are gone with it. */
  #reply(message: CollectorMessage): void {
    const connection = this.#connection;
    setImmediate(() => {
      if (connection === this.#connection && !this.#isBroken) {
        this.#receive(message);
      }
    });
  }

  #receive(message: CollectorMessage): void {
    this.#perform(this.#session.receive(message));
  }

  #perform(effects: readonly AgentEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "rewind") {
        this.#workers[effect.key]?.rewind(effect);
      } else if (effect.kind === "acked") {
        this.#workers[effect.key]?.acked(effect.nextSeq, effect.cursor);
        this.#batcher.flush();
      } else if (effect.kind === "send" && effect.message.type === "open") {
        const streams = effect.message.streams.map(({ stream, source }) => {
          const key = Number(source.slice("/log/".length));
          this.#numbers.set(stream, key);
          const stored = this.#stream(stream);
          stored.epoch += 1;
          return { stream, created: stored.epoch === 1, ...placeOf(stored) };
        });
        this.#reply({ type: "opened", streams });
      }
    }
  }

  #stream(number: number): StoredStream {
    const stored = this.stored[this.#numbers.get(number) ?? -1];
    if (stored === undefined) {
      throw new Error(`stream ${number} was never opened`);
    }
    return stored;
  }

  #arrive(message: Buffer): void {
    if (this.#isBroken) {
      return;
    }
    const decoded = decodeMessage(message);
    if (!decoded.ok) {
      throw new Error(decoded.error.detail);
    }
    const fate = this.#fates.shift() ?? "acknowledged";
    if (fate === "lost") {
      this.#break();
      return;
    }
    if (fate === "corrupt") {
      for (const stream of this.#numbers.keys()) {
        this.#reset(stream, "corrupt");
      }
      return;
    }
    let isToReject = fate === "rejected";
    for (const frame of decoded.value) {
      isToReject = !this.#take(frame, isToReject) && isToReject;
    }
    const streams = [...this.#numbers.keys()].map((stream) => ({
      stream,
      ...placeOf(this.#stream(stream)),
    }));
    if (fate === "unacknowledged") {
      this.#break();
    } else if (fate === "late") {
      setImmediate(() => setImmediate(() => this.#reply({ type: "ack", streams })));
    } else {
      this.#reply({ type: "ack", streams });
    }
    this.#wake();
  }

  /** Compare-and-set, as the store does it. Says whether the frame was rejected. */
  #take(frame: Frame, isToReject: boolean): boolean {
    const stored = this.#stream(frame.stream);
    if (frame.epoch < stored.epoch) {
      return false;
    }
    if (frame.ordinal !== stored.ordinal || frame.firstSeq !== stored.nextSeq) {
      this.#reset(frame.stream, "out_of_sequence");
      return false;
    }
    if (isToReject && frame.kind === "batch") {
      stored.epoch += 1;
      const place = { stream: frame.stream, ...placeOf(stored) };
      this.#reply({ type: "reject", ...place, code: "bad_columns", detail: "no luck" });
      return true;
    }
    stored.ordinal += 1;
    stored.nextSeq += frame.count;
    stored.cursor = frame.cursor;
    stored.records.push(...recordsOf(frame));
    if (frame.kind === "gap") {
      stored.gaps.push(frame);
    }
    if (frame.kind === "advance" && frame.final) {
      stored.isFinished = true;
      stored.finals += 1;
    }
    return false;
  }

  #reset(stream: number, reason: "corrupt" | "out_of_sequence"): void {
    const stored = this.#stream(stream);
    stored.epoch += 1;
    this.#reply({ type: "reset", streams: [{ stream, ...placeOf(stored), reason }] });
  }
}

function placeOf({ epoch, ordinal, nextSeq, cursor }: StoredStream) {
  return { epoch, ordinal, nextSeq, cursor };
}

function initialCursor(): Uint8Array {
  return cursorOf(0);
}

/** As much of a source as a worker asks of it. */
function sourceOf(reader: MemoryReader): Source {
  const source: Pick<Source, "reader" | "acked" | "finish"> = {
    reader: () => reader,
    acked: () => ok(undefined),
    finish: () => undefined,
  };
  return source as Source;
}
