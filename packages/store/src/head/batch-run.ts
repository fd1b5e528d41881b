import { decodeColumns, decompressPayload } from "@sluice/protocol/wire";
import type { Statement } from "better-sqlite3";

import type { Run } from "../block/run.ts";
import { releaseMemory } from "../memory-release.ts";
import { type HeadDatabase, isCorruption } from "./head-file.ts";

/** What a batch's row says of it. */
export interface BatchEntry {
  readonly id: number;
  readonly streamId: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  readonly receivedUs: number;
  /** Bit n is set when a record of severity n is among them. */
  readonly severities: number;
  readonly bodyBytes: number;
  readonly rawBytes: number;
}

/** Columns of a BatchEntry, for a SELECT from `batches` or `live_batches`. */
export const BATCH_COLUMNS = `id, stream AS streamId, first_seq AS firstSeq, count, min_time_us AS minTimeUs,
  max_time_us AS maxTimeUs, received_us AS receivedUs, severities, body_bytes AS bodyBytes, raw_bytes AS rawBytes`;

/** Reads batches of the head as runs. */
export class BatchReader {
  readonly #payload: Statement;

  constructor(db: HeadDatabase) {
    this.#payload = db.prepare("SELECT payload FROM batches WHERE id = ?").pluck();
  }

  /** `gone` when it was removed since its entry was read, `damaged` when it cannot be decoded. */
  read(entry: BatchEntry): Run | "gone" | "damaged" {
    const payload = this.#fetch(entry.id);
    if (typeof payload === "string") {
      return payload;
    }
    const raw = decompressPayload(payload, entry.rawBytes);
    releaseMemory(payload);
    const columns = raw.ok ? decodeColumns(raw.value, entry.count) : raw;
    if (!columns.ok) {
      return "damaged";
    }
    const seqs = new Float64Array(entry.count);
    for (let i = 0; i < entry.count; i++) {
      seqs[i] = entry.firstSeq + i;
    }
    return {
      streamId: entry.streamId,
      columns: columns.value,
      seqs,
      arrivals: [{ count: entry.count, receivedUs: entry.receivedUs, batchId: entry.id }],
    };
  }

  /** Damage to the pages of one payload is no reason to give up the others. */
  #fetch(id: number): Uint8Array | "gone" | "damaged" {
    try {
      const payload: unknown = this.#payload.get(id);
      return payload instanceof Uint8Array ? payload : "gone";
    } catch (error) {
      if (isCorruption(error)) {
        return "damaged";
      }
      throw error;
    }
  }
}
