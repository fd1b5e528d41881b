import type { HeadDatabase } from "../src/head/head-file.ts";
import type { NewSegment } from "../src/manifest/swap.ts";
import { applySwap } from "../src/manifest/swap.ts";

/** Batches of incompressible bytes, of one record each; what they hold makes no difference. Returns their ids. */
export function fillHead(db: HeadDatabase, batches: number, bytes: number): number[] {
  addStream(db);
  const insert = db
    .prepare(
      `INSERT INTO batches (stream, first_seq, count, min_time_us, max_time_us, received_us, severities, body_bytes, raw_bytes, payload)
       VALUES (1, 0, 1, 0, 0, 0, 1, 1, 1, randomblob(?)) RETURNING id`,
    )
    .pluck();
  return db.transaction(() => Array.from({ length: batches }, () => insert.get(bytes) as number))();
}

/** What a swap adds, as if a file lay there. */
export function newSegment(segment: Partial<NewSegment> & { readonly path: string }): NewSegment {
  const { records = 1, bytes = 10, firstReceivedUs = 0, lastReceivedUs = 0 } = segment;
  const share = { streamId: 1, records, bodyBytes: 1, bytes, severities: 1 };
  return {
    partition: "default",
    day: "2026-11-26",
    bytes,
    level: 6,
    blocks: 1,
    records,
    bodyBytes: 1,
    rawBytes: 1,
    minTimeUs: 0,
    maxTimeUs: 0,
    firstReceivedUs,
    lastReceivedUs,
    firstBatch: 1,
    lastBatch: 1,
    severities: 1,
    streams: [{ ...share, firstReceivedUs, lastReceivedUs }],
    ...segment,
  };
}

/** Adds a segment to the manifest and returns its id. */
export function addSegment(
  db: HeadDatabase,
  segment: Partial<NewSegment> & { readonly path: string },
): number {
  addStream(db);
  applySwap(db, {
    add: [newSegment(segment)],
    removeBatches: [],
    removeSegments: [],
    removed: [],
    deletesSeen: undefined,
    job: undefined,
  });
  return db.prepare("SELECT id FROM segments WHERE path = ?").pluck().get(segment.path) as number;
}

/** Of the stream of `fillHead` and `newSegment`. */
export function removedRecords(db: HeadDatabase): unknown {
  return db.prepare("SELECT total(removed_records) FROM streams").pluck().get();
}

export function addStream(db: HeadDatabase): void {
  db.exec(`INSERT OR IGNORE INTO agents VALUES (1, 'a', 'h', '1', '{}', 1, 1);
    INSERT OR IGNORE INTO streams (id, agent, source, generation, host, labels, epoch, ordinal, next_seq, cursor)
      VALUES (1, 1, 's', 1, 'h', '{}', 1, 0, 0, x'');`);
}
