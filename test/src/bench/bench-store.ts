import { type BatchFrame, encodeMessage, PAYLOAD_CODEC_ZSTD } from "@sluice/protocol";
import { byteCount, timeUs } from "@sluice/quantity";
import { type CommitReport, openStoreReader, Store, type StoredPart } from "@sluice/store";

import type { BatchDraft } from "./corpus-thread.ts";

/** Messages that are not committed yet, at most: some 64 MiB of log, the credit of eight agents. */
const IN_FLIGHT_BYTES = 8 << 20;

/** A stream to be opened: its number in the drafts, and what it is called. */
export interface NamedStream {
  readonly stream: number;
  readonly host: string;
  readonly source: string;
}

/** A batch as a store takes it, all but its place in its stream. */
export type StoreDraft = Omit<BatchDraft, "transfers" | "textBytes">;

/** A message made ready; it is handed over, not copied. */
export interface StoreMessage {
  readonly connection: number;
  readonly bytes: Uint8Array;
}

/** A commit with batches in it. */
export interface Commit {
  readonly tookMs: number;
  /** Of the messages that it took in. */
  readonly bytes: number;
  /** From handing over each of its messages until it is known to be durable. */
  readonly ackMs: readonly number[];
}

interface Position {
  readonly connection: number;
  readonly epoch: number;
  ordinal: number;
  nextSeq: number;
}

/** A store to be measured, and the one place that knows how it is spoken to. */
export class BenchStore implements AsyncDisposable {
  readonly #store: Store;
  readonly #dataDir: string;
  readonly #flow: CommitFlow;
  readonly #positions = new Map<number, Position>();

  private constructor(store: Store, dataDir: string, flow: CommitFlow) {
    this.#store = store;
    this.#dataDir = dataDir;
    this.#flow = flow;
  }

  static async open(dataDir: string): Promise<BenchStore> {
    const flow = new CommitFlow();
    const store = await Store.open(dataDir, {
      committed: (report) => flow.committed(report),
      failed: (error) => flow.fail(error),
      noticed: (notice) => flow.fail(new Error(`noticed: ${JSON.stringify(notice)}`)),
      full: () => flow.fail(new Error("the volume is full: nothing can be measured on it")),
    });
    return new BenchStore(store, dataDir, flow);
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
    await this.send(this.encode(draft));
  }

  /** The next batch of its stream, which must be open, as the message that an agent would send. */
  encode({ stream, payload, ...draft }: StoreDraft): StoreMessage {
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
    return { connection, bytes: encodeMessage([frame]) };
  }

  /** Takes a message over, which must come in the order of encoding; resolves when there is room. */
  async send(message: StoreMessage): Promise<void> {
    this.#flow.sent(message);
    this.#store.append(message.connection, message.bytes);
    await this.#flow.below(IN_FLIGHT_BYTES);
  }

  /** Resolves when all that was sent is durable. */
  async drained(): Promise<void> {
    await this.#flow.below(1);
  }

  /** The commits since the last call. */
  takeCommits(): Commit[] {
    return this.#flow.commits.splice(0);
  }

  /** Moves all that the head holds into segments and merges them. */
  async compact(): Promise<void> {
    await this.#store.compact();
  }

  /** Folds the head's log into its file. */
  async checkpoint(): Promise<void> {
    await this.#store.checkpoint();
  }

  /** Drops all that was received before a moment of this machine's clock, as a prune by age would. */
  async prune(beforeMs: number): Promise<void> {
    const cutoffUs = timeUs(beforeMs * 1000);
    let parts: readonly StoredPart[];
    {
      await using reader = openStoreReader(this.#dataDir);
      parts = reader.parts();
    }
    const expired = parts.filter(({ lastReceivedUs }) => lastReceivedUs < cutoffUs);
    const left = new Set(
      parts.filter(({ lastReceivedUs }) => lastReceivedUs >= cutoffUs).map(segmentOf),
    );
    const batchIds = expired.flatMap(({ place }) => (place.kind === "batch" ? [place.batch] : []));
    const bySegment = Map.groupBy(expired, segmentOf);
    bySegment.delete(undefined);
    const segments = [...bySegment].map(([segment = 0, of]) => ({
      segment,
      streams: of.map(({ streamId }) => streamId),
    }));
    await this.#store.prune({
      visibility: {
        policy: { keep: "forever", min_free: { kind: "bytes", bytes: byteCount(0) }, rules: [] },
        cutoffs: { default: cutoffUs },
      },
      batchIds,
      segmentIds: segments
        .filter(({ segment }) => !left.has(segment))
        .map(({ segment }) => segment),
      segmentParts: segments.filter(({ segment }) => left.has(segment)),
      job: { dueUs: cutoffUs, startedUs: cutoffUs, detail: "a benchmark's" },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

function segmentOf({ place }: StoredPart): number | undefined {
  return place.kind === "segment" ? place.segment : undefined;
}

function cursorAt(seq: number): Uint8Array {
  return Buffer.from(`{"line":${seq}}`);
}

/** What is sent and not committed yet. */
class CommitFlow {
  readonly commits: Commit[] = [];
  readonly #waiting = new Map<number, { bytes: number; sentMs: number }[]>();
  #inFlightBytes = 0;
  #failure: Error | undefined;
  #changed = Promise.withResolvers<void>();

  sent({ connection, bytes }: StoreMessage): void {
    this.#inFlightBytes += bytes.length;
    const waiting = this.#waiting.get(connection) ?? [];
    waiting.push({ bytes: bytes.length, sentMs: performance.now() });
    this.#waiting.set(connection, waiting);
  }

  committed(report: CommitReport): void {
    const nowMs = performance.now();
    const ackMs: number[] = [];
    let bytes = 0;
    for (const [connection, messageBytes] of report.messageBytes) {
      bytes += messageBytes;
      // Of one connection they are committed in the order in which they were sent.
      const waiting = this.#waiting.get(connection) ?? [];
      for (let left = messageBytes; left > 0;) {
        const first = waiting.shift();
        if (first === undefined) throw new Error("more was committed than was sent");
        ackMs.push(nowMs - first.sentMs);
        left -= first.bytes;
      }
    }
    this.#inFlightBytes -= bytes;
    this.commits.push({ tookMs: report.commitMs, bytes, ackMs });
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
