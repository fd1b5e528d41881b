import { nextManifestVersion } from "../manifest/manifest.ts";
import type { RetentionCutoffs } from "../manifest/visibility.ts";
import type { HeadDatabase } from "./head-file.ts";

/** What a prune carries out: first what is no longer visible, then what goes. */
export interface PruneOrder {
  readonly visibility: RetentionCutoffs;
  readonly batchIds: readonly number[];
  /** Whole segments. Parts of one go by writing it anew. */
  readonly segmentIds: readonly number[];
}

export interface PruneResult {
  readonly batches: number;
  readonly segments: number;
  readonly records: number;
  /** Of payloads and of segment files. */
  readonly bytes: number;
}

/**
 * Takes what retention drops out of the manifest. The cutoffs are committed first, so that what is
 * past its time is invisible at once; the bytes follow when the reclaimer finds no reader of them.
 */
export class Pruner {
  readonly #db: HeadDatabase;

  constructor(db: HeadDatabase) {
    this.#db = db;
  }

  run({ visibility, batchIds, segmentIds }: PruneOrder): PruneResult {
    this.#db
      .prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('visibility', ?)")
      .run(JSON.stringify(visibility));
    return this.#db.transaction(() => this.#remove(batchIds, segmentIds)).immediate();
  }

  #remove(batchIds: readonly number[], segmentIds: readonly number[]): PruneResult {
    const result = { batches: 0, segments: 0, records: 0, bytes: 0 };
    if (batchIds.length === 0 && segmentIds.length === 0) {
      return result;
    }
    const version = nextManifestVersion(this.#db);
    const count = this.#db.prepare(
      "UPDATE streams SET removed_records = removed_records + ? WHERE id = ?",
    );
    const batch = this.#db
      .prepare("SELECT stream, count, length(payload) FROM live_batches WHERE id = ?")
      .raw();
    const taken: number[] = [];
    for (const id of batchIds) {
      const row = batch.get(id) as [number, number, number] | undefined;
      if (row !== undefined) {
        taken.push(id);
        count.run(row[1], row[0]);
        result.records += row[1];
        result.bytes += row[2];
      }
    }
    result.batches = taken.length;
    const removal = this.#db.prepare("INSERT INTO batch_removals VALUES (?, ?, ?)");
    for (const [first, last] of rangesOf(taken)) {
      removal.run(first, last, version);
    }
    const segment = this.#db
      .prepare(
        "UPDATE segments SET removed = ? WHERE id = ? AND removed IS NULL RETURNING records, bytes",
      )
      .raw();
    const streams = this.#db
      .prepare("SELECT records, stream FROM segment_streams WHERE segment = ?")
      .raw();
    for (const id of segmentIds) {
      const row = segment.get(version, id) as [number, number] | undefined;
      if (row !== undefined) {
        result.segments += 1;
        result.records += row[0];
        result.bytes += row[1];
        for (const [records, streamId] of streams.all(id) as [number, number][]) {
          count.run(records, streamId);
        }
      }
    }
    return result;
  }
}

/** Consecutive ids as ranges [first, last]. */
export function rangesOf(ids: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const id of ids.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === id - 1) {
      last[1] = id;
    } else {
      ranges.push([id, id]);
    }
  }
  return ranges;
}
