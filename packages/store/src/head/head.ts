import type { RejectCode, ResetReason, UnfinishedStream } from "@sluice/protocol";
import type { Statement } from "better-sqlite3";

import type { CheckedFrame } from "./frame-check.ts";
import type { HeadDatabase } from "./head-file.ts";
import { FrameRows } from "./frame-rows.ts";
import { fit, type StreamPosition } from "./position.ts";
import { ReceiptClock } from "./receipt-clock.ts";

/** What an agent says of itself when it connects. */
export interface AgentIntroduction {
  readonly agentId: string;
  readonly host: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface StreamOpening {
  readonly source: string;
  readonly generation: number;
  /** Committed before the answer for a stream that is not known yet, so that `start: end` survives a crash. */
  readonly initialCursor: Uint8Array;
  readonly labels: Readonly<Record<string, string>>;
}

export interface OpenedStream extends StreamPosition {
  readonly streamId: number;
  readonly created: boolean;
}

export type AppendOutcome =
  | {
      readonly kind: "accepted";
      readonly position: StreamPosition;
      readonly batchId: number | undefined;
    }
  | { readonly kind: "stale" }
  | { readonly kind: "reset"; readonly position: StreamPosition; readonly reason: ResetReason }
  | {
      readonly kind: "rejected";
      readonly position: StreamPosition;
      readonly code: RejectCode;
      readonly detail: string;
    };

interface StreamRow {
  id: number;
  epoch: number;
  ordinal: number;
  next_seq: number;
  cursor: Uint8Array;
  is_rebuilt: number;
}

/**
 * The writing side of `head.db`. Every method runs inside a transaction that the caller began
 * (`transaction`), so that one fsync serves many agents; positions that a failed transaction
 * would have moved are forgotten with it.
 */
export class Head {
  readonly #db: HeadDatabase;
  readonly #positions = new Map<number, StreamPosition>();
  readonly #touched = new Map<number, StreamPosition>();
  readonly #forgotten = new Set<number>();
  readonly #upsertAgent: Statement;
  readonly #unfinished: Statement;
  readonly #countUnfinished: Statement;
  readonly #findStream: Statement;
  readonly #insertStream: Statement;
  readonly #bumpEpoch: Statement;
  readonly #takeCursor: Statement;
  readonly #rename: Statement;
  readonly #loadStream: Statement;
  readonly #rows: FrameRows;
  readonly #receipts: ReceiptClock;

  constructor(db: HeadDatabase) {
    this.#db = db;
    this.#upsertAgent = db
      .prepare(
        `INSERT INTO agents (agent_id, host, version, labels, first_seen_us, last_seen_us)
         VALUES (:agentId, :host, :version, :labels, :nowUs, :nowUs)
         ON CONFLICT (agent_id) DO UPDATE SET
           host = :host, version = :version, labels = :labels, last_seen_us = :nowUs
         RETURNING id`,
      )
      .pluck();
    this.#unfinished = db.prepare(
      `SELECT source, generation, next_seq AS nextSeq, cursor FROM streams
       WHERE agent = ? AND finished = 0 AND is_rebuilt = 0 ORDER BY source, generation`,
    );
    this.#countUnfinished = db
      .prepare("SELECT count(*) FROM streams WHERE agent = ? AND finished = 0")
      .pluck();
    this.#findStream = db.prepare(
      "SELECT id, epoch, ordinal, next_seq, cursor, is_rebuilt FROM streams WHERE agent = ? AND source = ? AND generation = ?",
    );
    this.#insertStream = db
      .prepare(
        `INSERT INTO streams (agent, source, generation, host, labels, epoch, ordinal, next_seq, cursor)
         VALUES (?, ?, ?, ?, ?, 1, 0, 0, ?) RETURNING id`,
      )
      .pluck();
    this.#bumpEpoch = db.prepare("UPDATE streams SET epoch = ? WHERE id = ?");
    this.#takeCursor = db.prepare(
      "UPDATE streams SET cursor = ?, gaps = gaps + 1, is_rebuilt = 0 WHERE id = ?",
    );
    this.#rename = db.prepare("UPDATE streams SET host = ?, labels = ? WHERE id = ?");
    this.#loadStream = db.prepare(
      "SELECT id, epoch, ordinal, next_seq, cursor, is_rebuilt FROM streams WHERE id = ?",
    );
    this.#receipts = new ReceiptClock(db);
    this.#rows = new FrameRows(db);
  }

  /** Receipt time never decreases, whatever the machine's clock does. */
  receiptTime(clockUs: number): number {
    return this.#receipts.next(clockUs);
  }

  /** The last receipt time that was given out; the next one is later. */
  closeReceipts(): number {
    return this.#receipts.close();
  }

  /** Runs `work` in one transaction; its COMMIT returns after the fsync. */
  transaction<T>(work: () => T): T {
    try {
      const result = this.#db.transaction(work).immediate();
      for (const [streamId, position] of this.#touched) {
        this.#positions.set(streamId, position);
      }
      for (const streamId of this.#forgotten) {
        this.#positions.delete(streamId);
      }
      return result;
    } finally {
      this.#touched.clear();
      this.#forgotten.clear();
    }
  }

  introduce(
    agent: AgentIntroduction,
    nowUs: number,
  ): { agent: number; unfinished: UnfinishedStream[] } {
    const id = this.#upsertAgent.get({
      agentId: agent.agentId,
      host: agent.host,
      version: agent.version,
      labels: JSON.stringify(agent.labels),
      nowUs,
    }) as number;
    return { agent: id, unfinished: this.#unfinished.all(id) as UnfinishedStream[] };
  }

  isKnown(agent: number, { source, generation }: StreamOpening): boolean {
    return this.#findStream.get(agent, source, generation) !== undefined;
  }

  /** Streams of an agent whose end is not stored. */
  unfinished(agent: number): number {
    return this.#countUnfinished.get(agent) as number;
  }

  /** Nobody appends to these any more: where they stand is looked up where it is asked for again. */
  forget(streamIds: Iterable<number>): void {
    for (const streamId of streamIds) {
      this.#forgotten.add(streamId);
    }
  }

  /**
   * Begins or takes up a stream. Each opening is a new epoch, so that frames of an older
   * connection of the same agent can never fit behind it. A stream bears the host and the labels
   * that its agent gave last, so that a label set today is found in a file that is never rotated.
   */
  open(agent: number, host: string, opening: StreamOpening): OpenedStream {
    const found = this.#findStream.get(agent, opening.source, opening.generation) as
      | StreamRow
      | undefined;
    if (found === undefined) {
      const streamId = this.#insertStream.get(
        agent,
        opening.source,
        opening.generation,
        host,
        JSON.stringify(opening.labels),
        opening.initialCursor,
      ) as number;
      const position = { epoch: 1, ordinal: 0, nextSeq: 0, cursor: opening.initialCursor };
      this.#touched.set(streamId, position);
      return { streamId, created: true, ...position };
    }
    if (found.is_rebuilt !== 0) {
      this.#takeUp(found, opening.initialCursor);
    }
    const position = this.#nextEpoch(found.id, {
      epoch: found.epoch,
      ordinal: found.ordinal,
      nextSeq: found.next_seq,
      cursor: found.cursor,
    });
    this.#rename.run(host, JSON.stringify(opening.labels), found.id);
    return { streamId: found.id, created: false, ...position };
  }

  /** Stores a frame where it fits exactly; otherwise says how the stream goes on. */
  append(streamId: number, checked: CheckedFrame, receivedUs: number): AppendOutcome {
    const stored = this.#position(streamId);
    const frame = checked.frame;
    switch (fit(stored, frame)) {
      case "stale":
        return { kind: "stale" };
      case "misplaced":
        return {
          kind: "reset",
          position: this.#nextEpoch(streamId, stored),
          reason: "out_of_sequence",
        };
      case "next":
        break;
    }
    if (checked.kind === "undecodable") {
      return {
        kind: "rejected",
        position: this.#nextEpoch(streamId, stored),
        code: checked.code,
        detail: checked.detail,
      };
    }
    const position: StreamPosition = {
      epoch: stored.epoch,
      ordinal: stored.ordinal + 1,
      nextSeq: stored.nextSeq + frame.count,
      // A copy, which a Buffer's `slice` is not: the frame's is a view that keeps its whole message.
      cursor: new Uint8Array(frame.cursor),
    };
    const batchId = this.#rows.write(streamId, checked, position, receivedUs);
    this.#touched.set(streamId, position);
    return { kind: "accepted", position, batchId };
  }

  /** Fences a stream off after a frame of it arrived damaged: the agent sends again from the cursor. */
  reset(streamId: number, reason: ResetReason): AppendOutcome {
    return { kind: "reset", position: this.#nextEpoch(streamId, this.#position(streamId)), reason };
  }

  /** Gives a stream that was rebuilt from segments the cursor it lacks. What the lost head held of it is a gap. */
  #takeUp(stream: StreamRow, cursor: Uint8Array): void {
    stream.cursor = cursor;
    this.#takeCursor.run(cursor, stream.id);
    this.#rows.insertGap({
      streamId: stream.id,
      seq: stream.next_seq,
      cause: "rolled_back",
      detail: "rebuilt from segments: what had not got into one is lost",
      receivedUs: this.#receipts.lastUs,
    });
  }

  #nextEpoch(streamId: number, stored: StreamPosition): StreamPosition {
    const position = { ...stored, epoch: stored.epoch + 1 };
    this.#bumpEpoch.run(position.epoch, streamId);
    this.#touched.set(streamId, position);
    return position;
  }

  #position(streamId: number): StreamPosition {
    const known = this.#touched.get(streamId) ?? this.#positions.get(streamId);
    if (known !== undefined) {
      return known;
    }
    const row = this.#loadStream.get(streamId) as StreamRow | undefined;
    if (row === undefined) {
      throw new Error(`stream ${streamId} was never opened`);
    }
    return { epoch: row.epoch, ordinal: row.ordinal, nextSeq: row.next_seq, cursor: row.cursor };
  }
}
