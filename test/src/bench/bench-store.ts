import { type BatchFrame, encodeMessage, PAYLOAD_CODEC_ZSTD } from "@sluice/protocol";
import { type CommitReport, Store } from "@sluice/store";

import type { BatchDraft } from "./corpus-thread.ts";

/** Messages that are not committed yet, at most: what a collector lets its agents send. */
const IN_FLIGHT_BYTES = 64 << 20;

/** A stream to be opened: its number in the drafts, and what it is called. */
export interface NamedStream {
  readonly stream: number;
  readonly host: string;
  readonly source: string;
}

/** A batch as a store takes it, all but its place in its stream. */
export type StoreDraft = Omit<BatchDraft, "transfers" | "textBytes">;

interface Position {
  readonly connection: number;
  readonly epoch: number;
  ordinal: number;
  nextSeq: number;
}

/** A store to be measured, and the one place that knows how it is spoken to. */
export class BenchStore implements AsyncDisposable {
  readonly #store: Store;
  readonly #flow: CommitFlow;
  readonly #positions = new Map<number, Position>();

  private constructor(store: Store, flow: CommitFlow) {
    this.#store = store;
    this.#flow = flow;
  }

  static async open(dataDir: string): Promise<BenchStore> {
    const flow = new CommitFlow();
    const store = await Store.open(dataDir, {
      committed: (report) => flow.committed(report),
      failed: (error) => flow.fail(error),
      full: () => flow.fail(new Error("the volume is full: nothing can be measured on it")),
    });
    return new BenchStore(store, flow);
  }

  /** Opens streams, each host's by an agent of its own over one connection, or one for each stream. */
  async openStreams(
    streams: readonly NamedStream[],
    connections: "host" | "stream",
  ): Promise<void> {
    for (const [host, ofHost] of Map.groupBy(streams, (stream) => stream.host)) {
      const introduction = { agentId: `agent-${host}`, host, version: "0.1.0", labels: {} };
      const { agent } = await this.#store.introduce(introduction);
      const groups = connections === "host" ? [ofHost] : ofHost.map((stream) => [stream]);
      for (const group of groups) {
        const connection = this.#positions.size + 1;
        const openings = group.map(({ stream, source }) => ({
          stream,
          source,
          generation: 1,
          initialCursor: cursorAt(0),
          labels: {},
        }));
        for (const opened of await this.#store.openStreams(connection, agent, host, openings)) {
          const { stream, epoch, ordinal, nextSeq } = opened;
          this.#positions.set(stream, { connection, epoch, ordinal, nextSeq });
        }
      }
    }
  }

  /** Sends a batch as a message of its own; resolves as soon as there is room for the next. */
  async append(draft: StoreDraft): Promise<void> {
    this.appendNow(draft);
    await this.#flow.below(IN_FLIGHT_BYTES);
  }

  /** The same without a look at the room; `stream` must be open. */
  appendNow({ stream, payload, ...draft }: StoreDraft): void {
    const position = this.#positions.get(stream);
    if (position === undefined) throw new RangeError(`stream ${stream} is not open`);
    const { connection, epoch, ordinal, nextSeq } = position;
    const frame: BatchFrame = {
      kind: "batch",
      stream,
      epoch,
      ordinal,
      firstSeq: nextSeq,
      count: draft.count,
      cursor: cursorAt(nextSeq + draft.count),
      minTimeUs: draft.minTimeUs,
      maxTimeUs: draft.maxTimeUs,
      rawBytes: draft.rawBytes,
      codec: PAYLOAD_CODEC_ZSTD,
      payload,
    };
    position.ordinal += 1;
    position.nextSeq += draft.count;
    const message = encodeMessage([frame]);
    this.#flow.sent(message.length);
    this.#store.append(connection, message);
  }

  /** Resolves when all that was sent is durable. */
  async drained(): Promise<void> {
    await this.#flow.below(1);
  }

  /** How long each commit with batches in it has taken since the last call, in milliseconds. */
  takeCommitMs(): number[] {
    return this.#flow.commitMs.splice(0);
  }

  /** Moves what the head holds into segments. False where the store has none yet. */
  async compact(): Promise<boolean> {
    const store: Store & { compact?: () => Promise<unknown> } = this.#store;
    await store.compact?.();
    return store.compact !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

function cursorAt(seq: number): Uint8Array {
  return Buffer.from(`{"line":${seq}}`);
}

/** What is sent and not committed yet. */
class CommitFlow {
  readonly commitMs: number[] = [];
  #inFlightBytes = 0;
  #failure: Error | undefined;
  #changed = Promise.withResolvers<void>();

  sent(bytes: number): void {
    this.#inFlightBytes += bytes;
  }

  committed(report: CommitReport): void {
    for (const bytes of report.messageBytes.values()) this.#inFlightBytes -= bytes;
    this.commitMs.push(report.commitMs);
    const refused = report.frames.find(({ outcome }) => outcome.kind !== "accepted");
    if (refused !== undefined) this.fail(new Error(`not accepted: ${JSON.stringify(refused)}`));
    if (report.malformed.length > 0) this.fail(new Error("a message was malformed"));
    this.#changed.resolve();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#changed.resolve();
  }

  async below(bytes: number): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#inFlightBytes < bytes) return;
      this.#changed = Promise.withResolvers<void>();
      await this.#changed.promise;
    }
  }
}
