import { BATCH_COLUMNS, type BatchEntry } from "../head/batch-run.ts";
import type { HeadDatabase } from "../head/head-file.ts";
import {
  manifestVersion,
  type SegmentEntry,
  segmentsAt,
  type SegmentStream,
  streamsOfSegment,
} from "../manifest/manifest.ts";

/** A stream, as far as its records are accounted for. */
export interface StreamAccount {
  readonly id: number;
  readonly name: string;
  readonly nextSeq: number;
  /** Stored so far, what was removed since included. */
  readonly records: number;
  readonly removedRecords: number;
}

/** What the head says of all that is stored, as of one version. */
export interface ManifestSnapshot {
  readonly version: number;
  readonly segments: readonly (SegmentEntry & { readonly streams: readonly SegmentStream[] })[];
  /** Paths of segments that were removed, and whose files may still be there. */
  readonly removed: ReadonlySet<string>;
  readonly announced: ReadonlySet<string>;
  readonly streams: readonly StreamAccount[];
  /** Of the head, by id. */
  readonly batches: readonly BatchEntry[];
}

/** Reads the manifest in one short transaction. */
export function readManifest(db: HeadDatabase): ManifestSnapshot {
  return db.transaction(() => {
    const version = manifestVersion(db);
    const paths = (sql: string): Set<string> => new Set(db.prepare(sql).pluck().all() as string[]);
    return {
      version,
      segments: segmentsAt(db, version).map((entry) => ({
        ...entry,
        streams: streamsOfSegment(db, entry.id),
      })),
      removed: paths("SELECT path FROM segments WHERE removed IS NOT NULL"),
      announced: paths("SELECT path FROM announced_segments"),
      streams: db
        .prepare(
          `SELECT id, host || ' ' || source || ' generation ' || generation AS name, next_seq AS nextSeq,
             records, removed_records AS removedRecords FROM streams ORDER BY id`,
        )
        .all() as StreamAccount[],
      batches: db
        .prepare(`SELECT ${BATCH_COLUMNS} FROM live_batches ORDER BY id`)
        .all() as BatchEntry[],
    };
  })();
}
