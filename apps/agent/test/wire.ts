import {
  type AgentEffect,
  AgentSession,
  type CollectorMessage,
  decodeBatch,
  decodeMessage,
  type Frame,
  LIMITS,
  ORIGINAL_BYTES_ATTRIBUTE,
} from "@sluice/protocol";

import { Batcher } from "../src/batcher.ts";
import { BuilderPool } from "../src/builder-pool.ts";
import { LineFeed } from "../src/line-feed.ts";
import { LineFramer } from "../src/line-framer.ts";
import { Processor } from "../src/processing/processor.ts";
import type { Pump } from "../src/pump.ts";
import { RecordPump } from "../src/record-pump.ts";
import { Stamper } from "../src/stamp/stamper.ts";
import { emptyLedger, StreamLedger } from "../src/stream-ledger.ts";
import { StreamPump } from "../src/stream-pump.ts";
import type { MemoryReader } from "./memory-reader.ts";

export const CLOCK_US: number = Date.UTC(2026, 10, 24, 12) * 1000;

type Rewind = Extract<AgentEffect, { kind: "rewind" }>;

/** Both ways from a reader to a batch. */
export type PumpKind = "in place" | "record by record";

export interface SentRecord {
  readonly body: string;
  readonly originalBytes: string | undefined;
}

const initialCursor = (): Uint8Array => new Uint8Array();

/** A batcher with a session, and a collector at its other end that does what a test tells it. */
export class Wire {
  readonly session: AgentSession = new AgentSession({
    agentId: "00000000-0000-4000-8000-000000000001",
    instance: "i",
    hostname: "h",
    version: "1",
    labels: {},
  });
  readonly pool: BuilderPool = new BuilderPool();
  readonly batcher: Batcher;
  /** Each message that left, as its frames. */
  readonly messages: Frame[][] = [];
  readonly errors: unknown[] = [];
  readonly rewinds = new Map<number, Rewind>();
  /** Every frame is acknowledged as it leaves. */
  acksAtOnce = true;
  #wake: () => void = () => undefined;

  constructor(streams: number, creditBytes: number = LIMITS.creditPerAgentBytes) {
    this.batcher = new Batcher({
      session: this.session,
      pool: this.pool,
      send: (message) => this.#take(message),
      nowMs: () => 0,
      clockUs: () => CLOCK_US,
      onGap: () => undefined,
      onError: (error) => this.errors.push(error),
    });
    for (let key = 0; key < streams; key++) {
      this.session.offer({ key, source: `/log/${key}`, generation: 1, initialCursor, labels: {} });
    }
    this.connect(streams, creditBytes);
  }

  get frames(): Frame[] {
    return this.messages.flat();
  }

  connect(streams: number, creditBytes: number): void {
    this.session.connected(CLOCK_US);
    this.receive({
      type: "welcome",
      storeId: "s",
      creditBytes,
      limits: {} as never,
      clockUs: CLOCK_US,
      streams: [],
      more: false,
    });
    const cursor = new TextEncoder().encode("@0");
    const place = { epoch: 1, ordinal: 0, nextSeq: 0, cursor, created: true };
    const opened = Array.from({ length: streams }, (_, stream) => ({ stream, ...place }));
    this.receive({ type: "opened", streams: opened });
  }

  receive(message: CollectorMessage): void {
    for (const effect of this.session.receive(message)) {
      if (effect.kind === "rewind") {
        this.rewinds.set(effect.key, effect);
      } else if (effect.kind === "acked" || effect.kind === "credit") {
        this.batcher.flush();
      }
    }
  }

  /** Acknowledges every frame that has left. */
  ack(): void {
    const last = new Map(this.frames.map((frame) => [frame.stream, frame]));
    const streams = [...last.values()].map(({ stream, epoch, ordinal, firstSeq, count }) => ({
      stream,
      epoch,
      ordinal: ordinal + 1,
      nextSeq: firstSeq + count,
    }));
    this.receive({ type: "ack", streams });
  }

  async until(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  pump(reader: MemoryReader, key = 0, kind: PumpKind = "in place"): Pump {
    const parts = {
      key,
      epoch: this.rewinds.get(key)?.epoch ?? 0,
      pool: this.pool,
      batcher: this.batcher,
      ledger: new StreamLedger(emptyLedger(0)),
      clockUs: () => CLOCK_US,
    };
    const stamper = new Stamper({ zone: 0 });
    return kind === "in place"
      ? new StreamPump({ ...parts, reader, framer: new LineFramer(stamper) })
      : new RecordPump({ ...parts, feed: new LineFeed(reader), processor: new Processor(stamper) });
  }

  #take(message: Buffer): void {
    const decoded = decodeMessage(message);
    if (!decoded.ok) {
      throw new Error(decoded.error.detail);
    }
    this.messages.push(decoded.value);
    if (this.acksAtOnce) {
      queueMicrotask(() => this.ack());
    }
    this.#wake();
  }
}

/** The records of a frame; none of one without any. */
export function recordsOf(frame: Frame): SentRecord[] {
  if (frame.kind !== "batch") {
    return [];
  }
  const decoded = decodeBatch(frame);
  if (!decoded.ok) {
    throw new Error(decoded.error.detail);
  }
  const { count, bodies, bodyOffsets, attributes } = decoded.value;
  return Array.from({ length: count }, (_, i) => ({
    body: Buffer.from(bodies.subarray(bodyOffsets[i], (bodyOffsets[i + 1] ?? 1) - 1)).toString(
      "latin1",
    ),
    originalBytes: attributes?.[i]?.[ORIGINAL_BYTES_ATTRIBUTE],
  }));
}
