import type { HeadDatabase } from "../head/head-file.ts";

/** What the manifest knows of a segment without opening it. Bytes are those of its file. */
export interface SegmentEntry {
  readonly id: number;
  readonly partition: string;
  /** UTC day of receipt, `YYYY-MM-DD`. */
  readonly day: string;
  /** Relative to data_dir, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** zstd's level of its blocks. */
  readonly level: number;
  readonly blocks: number;
  readonly records: number;
  readonly bodyBytes: number;
  readonly rawBytes: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  readonly firstReceivedUs: number;
  readonly lastReceivedUs: number;
  /** Ids of the first and the last batch that its records came with. */
  readonly firstBatch: number;
  readonly lastBatch: number;
  /** Bit n is set when a record of severity n is in it. */
  readonly severities: number;
}

/** A stream's share of a segment. */
export interface SegmentStream {
  readonly streamId: number;
  readonly records: number;
  readonly bodyBytes: number;
  /** Its share of the file's bytes. */
  readonly bytes: number;
  readonly firstReceivedUs: number;
  readonly lastReceivedUs: number;
  readonly severities: number;
}

const SEGMENT_COLUMNS = `id, partition, day, path, bytes, level, blocks, records, body_bytes AS bodyBytes,
  raw_bytes AS rawBytes, min_time_us AS minTimeUs, max_time_us AS maxTimeUs,
  first_received_us AS firstReceivedUs, last_received_us AS lastReceivedUs,
  first_batch AS firstBatch, last_batch AS lastBatch, severities`;

/** 0 before the first swap. */
export function manifestVersion(db: HeadDatabase): number {
  const value: unknown = db
    .prepare("SELECT value FROM meta WHERE key = 'manifest_version'")
    .pluck()
    .get();
  return Number(value ?? 0);
}

/** Counts the version up, inside the caller's transaction. */
export function nextManifestVersion(db: HeadDatabase): number {
  const version = manifestVersion(db) + 1;
  db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('manifest_version', ?)").run(
    String(version),
  );
  return version;
}

/** What was removed up to this version may be gone for good: who saw an older one cannot go on. */
export function reclaimedVersion(db: HeadDatabase): number {
  const value: unknown = db
    .prepare("SELECT value FROM meta WHERE key = 'reclaimed_version'")
    .pluck()
    .get();
  return Number(value ?? 0);
}

/** Says that what was removed up to a version is about to go for good. */
export function setReclaimedVersion(db: HeadDatabase, version: number): void {
  if (version > reclaimedVersion(db)) {
    db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('reclaimed_version', ?)").run(
      String(version),
    );
  }
}

/** The segments of a version, in the order of their ids. */
export function segmentsAt(db: HeadDatabase, version: number): SegmentEntry[] {
  return db
    .prepare(
      `SELECT ${SEGMENT_COLUMNS} FROM segments
       WHERE added <= ? AND (removed IS NULL OR removed > ?) ORDER BY id`,
    )
    .all(version, version) as SegmentEntry[];
}

/** Whether a segment is part of the newest version. */
export function isLiveSegment(db: HeadDatabase, segment: number): boolean {
  const live = db.prepare("SELECT 1 FROM segments WHERE id = ? AND removed IS NULL").pluck();
  return live.get(segment) !== undefined;
}

export function streamsOfSegment(db: HeadDatabase, segment: number): SegmentStream[] {
  return db
    .prepare(
      `SELECT stream AS streamId, records, body_bytes AS bodyBytes, bytes, severities,
         first_received_us AS firstReceivedUs, last_received_us AS lastReceivedUs
       FROM segment_streams WHERE segment = ? ORDER BY stream`,
    )
    .all(segment) as SegmentStream[];
}

/** Which batches of the head a version no longer holds. */
export class BatchRemovals {
  readonly #ranges: readonly (readonly [number, number])[];

  constructor(db: HeadDatabase, version: number) {
    this.#ranges = db
      .prepare("SELECT first_batch, last_batch FROM batch_removals WHERE version <= ?")
      .raw()
      .all(version) as [number, number][];
  }

  has(batchId: number): boolean {
    return this.#ranges.some(([first, last]) => batchId >= first && batchId <= last);
  }
}
