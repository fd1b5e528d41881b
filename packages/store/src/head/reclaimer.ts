import { lowestLease } from "../manifest/lease.ts";
import { manifestVersion, setReclaimedVersion } from "../manifest/manifest.ts";
import { type HeadDatabase, isDiskFull, truncateWal } from "./head-file.ts";

/** A segment that nobody needs any more: its file is to be unlinked, then its entry forgotten. */
interface RetiredSegment {
  readonly id: number;
  readonly path: string;
}

export interface Reclaimed {
  readonly batches: number;
  readonly payloadBytes: number;
  /** The head is shorter, which shows on the disk when its log has been folded in. */
  readonly hasReturnedPages: boolean;
  readonly segments: readonly RetiredSegment[];
  /** The lowest version at which something was removed that is still read; undefined where nothing is. */
  readonly heldFrom: number | undefined;
}

export interface ReclaimOptions {
  /** Nobody reads what was removed at this version or before. */
  readonly removedUpTo: number;
  /** Free pages that stay in the file for what comes in next. */
  readonly keepFreeBytes: number;
}

/**
 * The version up to which nothing that was removed is read by anybody. Asked by the writer itself: who
 * takes a lease after this has looked sees a version at least as new as the present one.
 */
export function reclaimableVersion(db: HeadDatabase, dataDir: string, nowMs: number): number {
  const version = manifestVersion(db);
  return Math.min(version, lowestLease(dataDir, nowMs));
}

/** Ids of batches, the first and the last, and the version that removed them. */
type Removal = readonly [number, number, number];

/** A transaction frees at most this much, so that commits of agents go on in between. */
const SLICE_BYTES = 16 * 1024 * 1024;

/** The same while what is freed is overwritten, which goes through the log. */
const OVERWRITTEN_SLICE_BYTES = 2 * 1024 * 1024;

/** Pages that one step gives back to the file system; to move one costs more than to free it. */
const RETURN_BYTES = 4 * 1024 * 1024;

/** On a full volume slices shrink to this: where even they find no room, nothing can be done here. */
const LEAST_PAGES = 16;

/**
 * Deletes for good what the manifest has removed. Batches go in slices, and their freed pages back to
 * the file system (`auto_vacuum = INCREMENTAL`; the file never shrinks otherwise).
 */
export class Reclaimer {
  readonly #db: HeadDatabase;

  constructor(db: HeadDatabase) {
    this.#db = db;
  }

  /** Yields after each slice, where the caller may commit what has arrived meanwhile. */
  *run({ removedUpTo, keepFreeBytes }: ReclaimOptions): Generator<undefined, Reclaimed> {
    const segments = this.#db
      .prepare("SELECT id, path FROM segments WHERE removed <= ?")
      .all(removedUpTo) as RetiredSegment[];
    const ranges = this.#db
      .prepare("SELECT first_batch, last_batch, version FROM batch_removals WHERE version <= ?")
      .raw()
      .all(removedUpTo) as Removal[];
    if (segments.length + ranges.length > 0) {
      setReclaimedVersion(this.#db, removedUpTo);
    }
    const deleted = yield* this.#deleteBatches(ranges);
    const hasReturnedPages = yield* this.#returnPages(keepFreeBytes);
    return { ...deleted, hasReturnedPages, segments, heldFrom: this.#heldFrom(removedUpTo) };
  }

  #heldFrom(removedUpTo: number): number | undefined {
    const version: unknown = this.#db
      .prepare(
        `SELECT min(version) FROM (SELECT removed AS version FROM segments
         UNION ALL SELECT version FROM batch_removals) WHERE version > ?`,
      )
      .pluck()
      .get(removedUpTo);
    return typeof version === "number" ? version : undefined;
  }

  /** The files are unlinked. */
  forget(segmentIds: readonly number[]): void {
    const streams = this.#db.prepare("DELETE FROM segment_streams WHERE segment = ?");
    const segment = this.#db.prepare("DELETE FROM segments WHERE id = ?");
    this.#db
      .transaction(() => {
        for (const id of segmentIds) {
          streams.run(id);
          segment.run(id);
        }
      })
      .immediate();
  }

  *#deleteBatches(
    ranges: readonly Removal[],
  ): Generator<undefined, { batches: number; payloadBytes: number }> {
    const next = this.#db
      .prepare(
        "SELECT id, length(payload) FROM batches WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1024",
      )
      .raw();
    const remove = this.#db.prepare("DELETE FROM batches WHERE id BETWEEN ? AND ?");
    const settle = this.#db.prepare(
      "DELETE FROM batch_removals WHERE first_batch = ? AND last_batch = ? AND version = ?",
    );
    const isOverwriting = this.#db.pragma("secure_delete", { simple: true }) === 1;
    const mostBytes = isOverwriting ? OVERWRITTEN_SLICE_BYTES : SLICE_BYTES;
    let batches = 0;
    let payloadBytes = 0;
    for (const [first, last, version] of ranges) {
      for (let from = first; ;) {
        const slice = takeSlice(next.all(from, last) as [number, number][], mostBytes);
        const end = slice.ids.at(-1);
        this.#db
          .transaction(() => {
            if (end === undefined) {
              settle.run(first, last, version);
            } else {
              batches += remove.run(from, end).changes;
            }
          })
          .immediate();
        payloadBytes += slice.bytes;
        if (end === undefined) {
          break;
        }
        from = end + 1;
        yield;
      }
    }
    return { batches, payloadBytes };
  }

  /** Whether the file has become shorter, which it is on the disk once the log is folded in. */
  *#returnPages(keepFreeBytes: number): Generator<undefined, boolean> {
    const pageBytes = Number(this.#db.pragma("page_size", { simple: true }));
    const keepPages = Math.floor(keepFreeBytes / pageBytes);
    const freePages = (): number => Number(this.#db.pragma("freelist_count", { simple: true }));
    let free = freePages();
    let returned = false;
    const pagesInSlice = RETURN_BYTES / pageBytes;
    let slice = pagesInSlice;
    while (free > keepPages) {
      try {
        this.#db.pragma(`incremental_vacuum(${Math.min(free - keepPages, slice)})`);
      } catch (error) {
        if (!isDiskFull(error) || slice <= LEAST_PAGES) {
          throw error;
        }
        // The log takes in the pages that move before their old places are given back.
        slice = Math.ceil(slice / 8);
        truncateWal(this.#db);
        continue;
      }
      if (slice < pagesInSlice) {
        truncateWal(this.#db);
      }
      yield;
      const left = freePages();
      if (left >= free) {
        break;
      }
      free = left;
      returned = true;
    }
    return returned;
  }
}

function takeSlice(
  rows: readonly (readonly [number, number])[],
  mostBytes: number,
): { ids: number[]; bytes: number } {
  const ids: number[] = [];
  let bytes = 0;
  for (const [id, payloadBytes] of rows) {
    if (ids.length > 0 && bytes + payloadBytes > mostBytes) {
      break;
    }
    ids.push(id);
    bytes += payloadBytes;
  }
  return { ids, bytes };
}
