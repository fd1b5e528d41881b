import type { Cutoffs, RetentionPolicy } from "@sluice/retention";

import { type HeadDatabase, isDiskFull, truncateWal } from "./head-file.ts";

/** What a prune carries out: first what is no longer visible, then which batches go. */
export interface PruneOrder {
  readonly visibility: Visibility;
  readonly batchIds: readonly number[];
  readonly job: PruneJob;
}

/** What of the stored records queries may see: the policy, and per rule the receipt time it keeps from. */
export interface Visibility {
  readonly policy: RetentionPolicy;
  readonly cutoffs: Cutoffs;
}

interface PruneJob {
  readonly dueUs: number;
  readonly startedUs: number;
  readonly detail: string;
}

/** A row of `jobs`: what the collector did on its own account, or what befell it. */
export interface FinishedJob extends PruneJob {
  readonly kind: string;
  readonly tookMs: number;
  readonly outcome: Readonly<Record<string, number>>;
}

export interface PruneResult {
  readonly batches: number;
  readonly payloadBytes: number;
  readonly tookMs: number;
}

/** A transaction frees at most this much, so that commits of agents go on in between. */
const SLICE_BYTES = 16 * 1024 * 1024;

/** On a full volume slices shrink to this: where even they find no room, nothing can be done here. */
const LEAST_PAGES = 16;

/**
 * Removes whole batches from the head. The cutoffs are committed first, so that what is past its
 * time is invisible at once; the bytes follow in slices, and the freed pages go back to the file
 * system (`auto_vacuum = INCREMENTAL`; the file never shrinks otherwise).
 */
export class Pruner {
  readonly #db: HeadDatabase;

  constructor(db: HeadDatabase) {
    this.#db = db;
  }

  /** Yields after each slice, where the caller may commit what has arrived meanwhile. */
  *run(order: PruneOrder): Generator<undefined, PruneResult> {
    const startedMs = performance.now();
    this.#setVisibility(order.visibility);
    yield;

    const size = this.#db.prepare("SELECT raw_bytes FROM batches WHERE id = ?").pluck();
    const payload = this.#db.prepare("SELECT length(payload) FROM batches WHERE id = ?").pluck();
    const remove = this.#db.prepare("DELETE FROM batches WHERE id = ?");
    let batches = 0;
    let payloadBytes = 0;
    let next = 0;
    while (next < order.batchIds.length) {
      this.#db
        .transaction(() => {
          let sliceBytes = 0;
          while (next < order.batchIds.length && sliceBytes < SLICE_BYTES) {
            const id = order.batchIds[next++];
            if (size.get(id) === undefined) {
              continue;
            }
            const bytes = Number(payload.get(id));
            remove.run(id);
            sliceBytes += bytes;
            payloadBytes += bytes;
            batches += 1;
          }
        })
        .immediate();
      yield;
    }
    yield* this.#returnPages();
    const tookMs = Math.round(performance.now() - startedMs);
    if (batches > 0) {
      this.record({ kind: "prune", ...order.job, tookMs, outcome: { batches, payloadBytes } });
    }
    return { batches, payloadBytes, tookMs };
  }

  #setVisibility(visibility: Visibility): void {
    this.#db
      .prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('visibility', ?)")
      .run(JSON.stringify(visibility));
  }

  *#returnPages(): Generator<undefined, void> {
    const pageBytes = Number(this.#db.pragma("page_size", { simple: true }));
    const pagesInSlice = SLICE_BYTES / pageBytes;
    let pages = pagesInSlice;
    let free = Number(this.#db.pragma("freelist_count", { simple: true }));
    if (free === 0) {
      return;
    }
    while (free > 0) {
      try {
        this.#db.pragma(`incremental_vacuum(${pages})`);
      } catch (error) {
        if (!isDiskFull(error) || pages <= LEAST_PAGES) {
          throw error;
        }
        // The log takes in the pages that move before their old places are given back.
        pages = Math.ceil(pages / 8);
        truncateWal(this.#db);
        continue;
      }
      if (pages < pagesInSlice) {
        truncateWal(this.#db);
      }
      yield;
      const left = Number(this.#db.pragma("freelist_count", { simple: true }));
      if (left >= free) {
        return;
      }
      free = left;
    }
    truncateWal(this.#db);
  }

  record({ kind, dueUs, startedUs, tookMs, outcome, detail }: FinishedJob): void {
    this.#db
      .prepare(
        "INSERT INTO jobs (kind, due_us, started_us, took_ms, outcome, detail) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(kind, dueUs, startedUs, tookMs, JSON.stringify(outcome), detail);
  }
}
