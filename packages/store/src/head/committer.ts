import { decodeMessage, type FrameError, LIMITS, type ResetReason } from "@sluice/protocol/wire";

import { checkFrame, checkFrameOnPool, type CheckedFrame } from "./frame-check.ts";
import type { HeadDatabase } from "./head-file.ts";
import { Head } from "./head.ts";
import type {
  CommitRequest,
  FrameOutcome,
  MalformedMessage,
  WriterReply,
} from "./writer-messages.ts";

export type AppendRequest = Extract<CommitRequest, { kind: "append" }>;

/** A request made ready for the transaction: what can be decoded is decoded before it begins. */
export type PreparedRequest =
  | Exclude<CommitRequest, AppendRequest>
  | {
      readonly kind: "append";
      readonly connection: number;
      readonly bytes: number;
      readonly frames: readonly CheckedFrame[];
      readonly error: FrameError | undefined;
    };

interface Tally {
  /** Connections whose streams this commit has sent back already. */
  readonly sentBack: Set<number>;
  readonly replies: WriterReply[];
  readonly frames: FrameOutcome[];
  readonly malformed: MalformedMessage[];
  readonly messageBytes: Map<number, number>;
}

export function prepare(request: CommitRequest): PreparedRequest {
  if (request.kind !== "append") {
    return request;
  }
  const { connection, message } = request;
  const append = { kind: "append" as const, connection, bytes: message.length };
  const decoded = decodeMessage(message);
  return decoded.ok
    ? { ...append, frames: decoded.value.map(checkFrame), error: undefined }
    : { ...append, frames: [], error: decoded.error };
}

/** The same, what is compressed being decompressed on the thread pool. */
export async function prepareOnPool(request: AppendRequest): Promise<PreparedRequest> {
  const { connection, message } = request;
  const append = { kind: "append" as const, connection, bytes: message.length };
  const decoded = decodeMessage(message);
  return decoded.ok
    ? {
        ...append,
        frames: await Promise.all(decoded.value.map(checkFrameOnPool)),
        error: undefined,
      }
    : { ...append, frames: [], error: decoded.error };
}

/** Carries out requests of many agents in one transaction, in the order of their arrival. */
export class Committer {
  readonly #head: Head;
  /** connection -> the number its frames carry -> stream id */
  readonly #streams = new Map<number, Map<number, number>>();
  #highWater: number;

  constructor(db: HeadDatabase) {
    this.#head = new Head(db);
    const highWater: unknown = db
      .prepare("SELECT seq FROM sqlite_sequence WHERE name = 'batches'")
      .pluck()
      .get();
    this.#highWater = typeof highWater === "number" ? highWater : 0;
  }

  /** Receipt time of the last commit; whatever comes in from now on bears a later one. */
  closeReceipts(): number {
    return this.#head.closeReceipts();
  }

  /** Highest batch id that is committed. */
  get highWater(): number {
    return this.#highWater;
  }

  /**
   * Returns the replies once all of it is durable.
   *
   * @throws what SQLite throws; then nothing of the requests is stored
   */
  commit(requests: readonly PreparedRequest[], clockUs: number): WriterReply[] {
    const startedMs = performance.now();
    const tally: Tally = {
      sentBack: new Set(),
      replies: [],
      frames: [],
      malformed: [],
      messageBytes: new Map(),
    };
    const receivedUs = this.#head.receiptTime(clockUs);
    this.#head.transaction(() => {
      for (const request of requests) {
        this.#perform(request, receivedUs, tally);
      }
    });
    const { replies, frames, malformed, messageBytes } = tally;
    const outcome = { frames, malformed, messageBytes };
    for (const { outcome: frame } of outcome.frames) {
      if (frame.kind === "accepted" && frame.batchId !== undefined) {
        this.#highWater = frame.batchId;
      }
    }
    if (outcome.messageBytes.size > 0) {
      const commitMs = performance.now() - startedMs;
      replies.push({
        kind: "committed",
        report: { ...outcome, highWater: this.#highWater, commitMs },
      });
    }
    return replies;
  }

  #perform(request: PreparedRequest, receivedUs: number, tally: Tally): void {
    switch (request.kind) {
      case "introduce": {
        const introduced = this.#head.introduce(request.agent, receivedUs);
        tally.replies.push({ kind: "introduced", id: request.id, ...introduced });
        return;
      }
      case "open": {
        const numbers = this.#streams.get(request.connection) ?? new Map<number, number>();
        this.#streams.set(request.connection, numbers);
        const { agent, host } = request;
        let room = LIMITS.unfinishedPerAgent - this.#head.unfinished(agent);
        const streams = request.openings.flatMap((opening) => {
          if (room <= 0 && !this.#head.isKnown(agent, opening)) {
            return [];
          }
          const opened = this.#head.open(agent, host, opening);
          room -= opened.created ? 1 : 0;
          numbers.set(opening.stream, opened.streamId);
          return [{ stream: opening.stream, ...opened }];
        });
        tally.replies.push({ kind: "opened", id: request.id, streams });
        return;
      }
      case "disconnect":
        this.#head.forget(this.#streams.get(request.connection)?.values() ?? []);
        this.#streams.delete(request.connection);
        return;
      case "append":
        this.#append(request, receivedUs, tally);
        return;
      case "shed":
        this.#takeIn(request.connection, 0, tally);
        this.#resetAll(request.connection, request.reason, tally);
        return;
      default:
        request satisfies never;
    }
  }

  #append(
    request: Extract<PreparedRequest, { kind: "append" }>,
    receivedUs: number,
    tally: Tally,
  ): void {
    const { connection } = request;
    this.#takeIn(connection, request.bytes, tally);
    switch (request.error?.kind) {
      case "malformed":
        tally.malformed.push({ connection, detail: request.error.detail });
        return;
      case "corrupt":
        // Damaged on the way: its header names no stream that could be trusted, so all go back.
        this.#resetAll(connection, "corrupt", tally);
        return;
      case undefined:
        break;
      default:
        request.error satisfies never;
    }
    const numbers = this.#streams.get(connection);
    for (const checked of request.frames) {
      const { stream } = checked.frame;
      const streamId = numbers?.get(stream);
      // A stream that this connection has not opened, or a connection that is fenced off.
      if (streamId !== undefined) {
        const outcome = this.#head.append(streamId, checked, receivedUs);
        tally.frames.push({ connection, stream, outcome });
      }
    }
  }

  #resetAll(connection: number, reason: ResetReason, tally: Tally): void {
    // Its agent has not been told yet: whatever else of it is damaged was on its way before.
    if (tally.sentBack.has(connection)) {
      return;
    }
    tally.sentBack.add(connection);
    for (const [stream, streamId] of this.#streams.get(connection) ?? []) {
      tally.frames.push({ connection, stream, outcome: this.#head.reset(streamId, reason) });
    }
  }

  #takeIn(connection: number, bytes: number, tally: Tally): void {
    tally.messageBytes.set(connection, (tally.messageBytes.get(connection) ?? 0) + bytes);
  }
}
