import type { Statement } from "better-sqlite3";

import type { CheckedFrame } from "./frame-check.ts";
import type { HeadDatabase } from "./head-file.ts";
import type { StreamPosition } from "./position.ts";

/** A gap that no frame of an agent tells of. */
export interface OwnGap {
  readonly streamId: number;
  readonly seq: number;
  readonly cause: string;
  readonly detail: string;
  readonly receivedUs: number;
}

/** What a frame that fits leaves in `head.db`: its batch or its gap, and its stream moved on. Inside a transaction. */
export class FrameRows {
  readonly #insertBatch: Statement;
  readonly #moveOverBatch: Statement;
  readonly #moveOverGap: Statement;
  readonly #moveOverFiltered: Statement;
  readonly #insertGap: Statement;

  constructor(db: HeadDatabase) {
    this.#insertBatch = db.prepare(
      `INSERT INTO batches (stream, first_seq, count, min_time_us, max_time_us, received_us,
                            severities, body_bytes, raw_bytes, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#moveOverBatch = db.prepare(
      `UPDATE streams SET ordinal = ?, next_seq = ?, cursor = ?, records = records + ?,
         body_bytes = body_bytes + ?, last_time_us = ?, last_received_us = ? WHERE id = ?`,
    );
    this.#moveOverGap = db.prepare(
      "UPDATE streams SET ordinal = ?, next_seq = ?, cursor = ?, gaps = gaps + 1 WHERE id = ?",
    );
    this.#moveOverFiltered = db.prepare(
      `UPDATE streams SET ordinal = ?, cursor = ?, filtered_records = filtered_records + ?,
         filtered_bytes = filtered_bytes + ?, finished = finished OR ? WHERE id = ?`,
    );
    this.#insertGap = db.prepare(
      `INSERT INTO gaps (stream, seq, cause, range, detail, received_us, noticed_us, records)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  /** Returns the batch's id, where it is one. */
  write(
    streamId: number,
    checked: Exclude<CheckedFrame, { kind: "undecodable" }>,
    position: StreamPosition,
    receivedUs: number,
  ): number | undefined {
    switch (checked.kind) {
      case "batch": {
        const { frame, facts } = checked;
        const { lastInsertRowid } = this.#insertBatch.run(
          streamId,
          frame.firstSeq,
          frame.count,
          facts.minTimeUs,
          facts.maxTimeUs,
          receivedUs,
          facts.severities,
          facts.bodyBytes,
          frame.rawBytes,
          frame.payload,
        );
        this.#moveOverBatch.run(
          position.ordinal,
          position.nextSeq,
          position.cursor,
          frame.count,
          facts.bodyBytes,
          facts.lastTimeUs,
          receivedUs,
          streamId,
        );
        return Number(lastInsertRowid);
      }
      case "gap": {
        const { frame } = checked;
        this.#insertGap.run(
          streamId,
          frame.firstSeq,
          frame.cause,
          JSON.stringify(frame.range),
          frame.detail,
          receivedUs,
          frame.timeUs,
          frame.count,
        );
        this.#moveOverGap.run(position.ordinal, position.nextSeq, position.cursor, streamId);
        return undefined;
      }
      case "advance": {
        const { frame } = checked;
        this.#moveOverFiltered.run(
          position.ordinal,
          position.cursor,
          frame.filteredRecords,
          frame.filteredBytes,
          frame.final ? 1 : 0,
          streamId,
        );
        return undefined;
      }
      default:
        return checked satisfies never;
    }
  }

  /** Of unknown range; it moves nothing. */
  insertGap({ streamId, seq, cause, detail, receivedUs }: OwnGap): void {
    const range = JSON.stringify("unknown");
    this.#insertGap.run(streamId, seq, cause, range, detail, receivedUs, null, 0);
  }
}
