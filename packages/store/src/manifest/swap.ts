import type { HeadDatabase } from "../head/head-file.ts";
import { nextManifestVersion, type SegmentEntry, type SegmentStream } from "./manifest.ts";

/** A complete, fsynced segment that is to become part of the manifest; its file lies at its path. */
export interface NewSegment extends Omit<SegmentEntry, "id"> {
  readonly streams: readonly SegmentStream[];
}

/** Records of a stream that a swap leaves out: expired, deleted or pruned ones. */
export interface RemovedRecords {
  readonly streamId: number;
  readonly records: number;
}

export interface JobRecord {
  readonly kind: string;
  readonly dueUs: number;
  readonly startedUs: number;
  readonly tookMs: number;
  readonly outcome: Readonly<Record<string, number>>;
  readonly detail: string;
}

/** One change of what is stored: what comes in holds the records of what goes out, but those that are counted as removed. */
export interface Swap {
  readonly add: readonly NewSegment[];
  /** Ranges of ids: [first, last], each of which is there. */
  readonly removeBatches: readonly (readonly [number, number])[];
  readonly removeSegments: readonly number[];
  readonly removed: readonly RemovedRecords[];
  /**
   * Highest id of a delete that the new segments take into account; where another was issued since,
   * they would bring deleted records back. Undefined for a swap that adds nothing.
   */
  readonly deletesSeen: number | undefined;
  /** Deletes whose records are gone from the files with this swap. */
  readonly deletesDone?: readonly number[] | undefined;
  readonly job: JobRecord | undefined;
}

export type SwapResult =
  | { readonly ok: true; readonly version: number }
  /** Nothing was changed: the job has to begin again on what is stored now. */
  | { readonly ok: false; readonly reason: "input-removed" | "delete-issued" };

/** Carries out a swap in one transaction of its own. */
export function applySwap(db: HeadDatabase, swap: Swap): SwapResult {
  return db
    .transaction((): SwapResult => {
      const conflict = findConflict(db, swap);
      if (conflict !== undefined) {
        return { ok: false, reason: conflict };
      }
      const version = nextManifestVersion(db);
      for (const segment of swap.add) {
        insertSegment(db, segment, version);
      }
      const settle = db.prepare("DELETE FROM announced_segments WHERE path = ?");
      for (const { path } of swap.add) {
        settle.run(path);
      }
      const removeSegment = db.prepare("UPDATE segments SET removed = ? WHERE id = ?");
      for (const id of swap.removeSegments) {
        removeSegment.run(version, id);
      }
      const removeBatches = db.prepare("INSERT INTO batch_removals VALUES (?, ?, ?)");
      for (const [first, last] of swap.removeBatches) {
        removeBatches.run(first, last, version);
      }
      const count = db.prepare(
        "UPDATE streams SET removed_records = removed_records + ? WHERE id = ?",
      );
      for (const { streamId, records } of swap.removed) {
        count.run(records, streamId);
      }
      const finish = db.prepare("UPDATE deletes SET done_version = ? WHERE id = ?");
      for (const id of swap.deletesDone ?? []) {
        finish.run(version, id);
      }
      if (swap.job !== undefined) {
        recordJob(db, swap.job);
      }
      return { ok: true, version };
    })
    .immediate();
}

/** Compactions and merges come by the thousand, and only the latest tell how things are. */
const KEPT_OF_FREQUENT = 1_000;
const FREQUENT: ReadonlySet<string> = new Set(["compact", "merge"]);

/** Others are what an operator asked for, or may have to answer for. */
const KEPT_OF_OTHERS = 5_000;

/** Writes down what was done; of each kind only the latest are kept. */
export function recordJob(db: HeadDatabase, job: JobRecord): void {
  db.prepare(
    "INSERT INTO jobs (kind, due_us, started_us, took_ms, outcome, detail) VALUES (?, ?, ?, ?, ?, ?)",
  ).run(
    job.kind,
    job.dueUs,
    job.startedUs,
    Math.round(job.tookMs),
    JSON.stringify(job.outcome),
    job.detail,
  );
  db.prepare(
    `DELETE FROM jobs WHERE kind = :kind AND id <= (
       SELECT id FROM jobs WHERE kind = :kind ORDER BY id DESC LIMIT 1 OFFSET :kept)`,
  ).run({
    kind: job.kind,
    kept: FREQUENT.has(job.kind) ? KEPT_OF_FREQUENT : KEPT_OF_OTHERS,
  });
}

/** Writes down which files are about to get their names, so that a crash leaves no orphan. */
export function announceSegments(db: HeadDatabase, paths: readonly string[]): void {
  db.transaction(() => {
    const insert = db.prepare("INSERT INTO announced_segments VALUES (?)");
    for (const path of paths) {
      insert.run(path);
    }
  }).immediate();
}

function findConflict(
  db: HeadDatabase,
  swap: Swap,
): Extract<SwapResult, { ok: false }>["reason"] | undefined {
  const isLive = db.prepare("SELECT 1 FROM segments WHERE id = ? AND removed IS NULL").pluck();
  if (swap.removeSegments.some((id) => isLive.get(id) === undefined)) {
    return "input-removed";
  }
  // Not by looking into batch_removals: it forgets a removal when the reclaimer is done with it.
  const live = db.prepare("SELECT count(*) FROM live_batches WHERE id BETWEEN ? AND ?").pluck();
  if (swap.removeBatches.some(([first, last]) => live.get(first, last) !== last - first + 1)) {
    return "input-removed";
  }
  const lastDelete = Number(db.prepare("SELECT max(id) FROM deletes").pluck().get() ?? 0);
  return swap.deletesSeen !== undefined && lastDelete > swap.deletesSeen
    ? "delete-issued"
    : undefined;
}

export function insertSegment(db: HeadDatabase, segment: NewSegment, version: number): void {
  const id = db
    .prepare(
      `INSERT INTO segments (partition, day, path, bytes, level, blocks, records, body_bytes, raw_bytes,
       min_time_us, max_time_us, first_received_us, last_received_us, first_batch, last_batch, severities, added)
     VALUES (:partition, :day, :path, :bytes, :level, :blocks, :records, :bodyBytes, :rawBytes,
       :minTimeUs, :maxTimeUs, :firstReceivedUs, :lastReceivedUs, :firstBatch, :lastBatch, :severities, :version)`,
    )
    .run({ ...segment, streams: undefined, version }).lastInsertRowid;
  const insert = db.prepare(
    `INSERT INTO segment_streams (segment, stream, records, body_bytes, bytes,
       first_received_us, last_received_us, severities) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const stream of segment.streams) {
    const { streamId, records, bodyBytes, bytes, severities } = stream;
    const { firstReceivedUs, lastReceivedUs } = stream;
    insert.run(
      id,
      streamId,
      records,
      bodyBytes,
      bytes,
      firstReceivedUs,
      lastReceivedUs,
      severities,
    );
  }
}
