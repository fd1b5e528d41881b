import { join } from "node:path";
import { decodeColumns, decompressPayload, type GapRange } from "@sluice/protocol";
import Database from "better-sqlite3";

/** A stream as the collector's database has it. */
export interface StoredStream {
  readonly id: number;
  readonly source: string;
  readonly generation: number;
  readonly epoch: number;
  readonly nextSeq: number;
  /** Records accepted, and the bytes of their bodies with an LF each. */
  readonly records: number;
  readonly bytes: number;
  /** Where it stands, as its agent wrote it. */
  readonly cursor: Buffer;
}

export interface StoredGap {
  readonly source: string;
  readonly generation: number;
  readonly cause: string;
  readonly range: GapRange | "unknown";
  readonly detail: string;
}

interface BatchRow {
  readonly firstSeq: number;
  readonly count: number;
  readonly rawBytes: number;
  readonly payload: Buffer;
}

/**
 * What a collector has stored, read from its database as it lies on the disk: an account that does
 * not depend on the product's own search. May be opened beside a running collector.
 */
export class StoredData implements Disposable {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  static open(dataDir: string): StoredData {
    return new StoredData(new Database(join(dataDir, "head.db"), { readonly: true }));
  }

  /** By source and generation: the order in which the bytes were written. */
  streams(): StoredStream[] {
    return this.#db
      .prepare<[], StoredStream>(
        `SELECT id, source, generation, epoch, next_seq AS nextSeq, records,
           body_bytes AS bytes, cursor FROM streams
         ORDER BY source, generation`,
      )
      .all();
  }

  /** Records accepted, over all streams. */
  records(): number {
    return this.streams().reduce((sum, { records }) => sum + records, 0);
  }

  /** Streams whose end is stored. */
  finished(): number {
    return Number(
      this.#db.prepare("SELECT count(*) FROM streams WHERE finished = 1").pluck().get(),
    );
  }

  /** Streams whose end is not stored, by source. */
  unfinished(): ReadonlyMap<string, number> {
    const rows = this.#db
      .prepare<[], { readonly source: string; readonly streams: number }>(
        "SELECT source, count(*) AS streams FROM streams WHERE finished = 0 GROUP BY source",
      )
      .all();
    return new Map(rows.map(({ source, streams }) => [source, streams]));
  }

  /** In the order in which they were stored. */
  gaps(): StoredGap[] {
    return this.#db
      .prepare<[], Omit<StoredGap, "range"> & { readonly range: string }>(
        `SELECT source, generation, cause, range, detail FROM gaps
         JOIN streams ON streams.id = gaps.stream ORDER BY gaps.id`,
      )
      .all()
      .map((gap) => ({ ...gap, range: JSON.parse(gap.range) as StoredGap["range"] }));
  }

  /**
   * Each batch of a source as its lines, LFs included, by generation and sequence number.
   *
   * @throws where a batch cannot be decoded or its stream's sequence numbers have a hole
   */
  *batches(source: string): Generator<Uint8Array[]> {
    const rows = this.#db.prepare<[number], BatchRow>(
      `SELECT first_seq AS firstSeq, count, raw_bytes AS rawBytes, payload FROM batches
       WHERE stream = ? ORDER BY first_seq, id`,
    );
    for (const stream of this.streams().filter((candidate) => candidate.source === source)) {
      const name = `${source}, generation ${stream.generation}`;
      let nextSeq = 0;
      for (const row of rows.iterate(stream.id)) {
        if (row.firstSeq !== nextSeq) {
          throw new Error(`${name}: a batch begins at ${row.firstSeq} where ${nextSeq} was due`);
        }
        nextSeq += row.count;
        yield linesOf(row, name);
      }
      if (nextSeq !== stream.nextSeq) {
        throw new Error(`${name}: ends at ${nextSeq}, and its stream says ${stream.nextSeq}`);
      }
    }
  }

  /** All of a source's lines as the bytes that they were in its files. */
  bytes(source: string): Buffer {
    return Buffer.concat([...this.batches(source)].flat());
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

function linesOf(row: BatchRow, name: string): Uint8Array[] {
  const raw = decompressPayload(row.payload, row.rawBytes);
  const columns = raw.ok ? decodeColumns(raw.value, row.count) : raw;
  if (!columns.ok) throw new Error(`${name}: batch at ${row.firstSeq}: ${columns.error.detail}`);
  const { bodies, bodyOffsets } = columns.value;
  return Array.from({ length: row.count }, (_, i) =>
    bodies.subarray(bodyOffsets[i], bodyOffsets[i + 1]),
  );
}
