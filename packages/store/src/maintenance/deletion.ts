import { formatTimeRfc3339, timeUs } from "@sluice/quantity";

import { manifestVersion, segmentsAt } from "../manifest/manifest.ts";
import { type ActiveDelete, activeDeletes } from "../manifest/visibility.ts";
import { compact } from "./compaction.ts";
import { DeletedRecords } from "./deleted-records.ts";
import { type JobContext, lastDelete } from "./job-context.ts";
import { rewrite } from "./rewrite.ts";

/** Deletes whose records no part of the store holds any more; files that were replaced may still lie there. */
export interface TakenOut {
  /** Ids of the deletes. */
  readonly deletes: readonly number[];
  /** Version of the manifest from which on nothing of them is left. */
  readonly version: number;
  readonly records: number;
  /** By which the segments' files have become smaller. */
  readonly bytes: number;
  /** What was deleted, in the words of the query language. */
  readonly detail: string;
  readonly issuedUs: number;
}

/**
 * Takes the records of all deletes that were issued out of the store: first the head's, by compacting
 * what it holds, then those of each segment that has some. Records that came in later stay. Undefined
 * where there is no such delete.
 *
 * @throws Error where other changes came in between too often
 */
export async function takeOutDeleted(
  context: JobContext,
  mostRetries: number,
): Promise<TakenOut | undefined> {
  const { db } = context;
  let bytes = 0;
  for (let retries = 0; retries < mostRetries; retries++) {
    const { deletes, seen, lastBatch } = db.transaction(() => ({
      // One that is to take what agents send again after a restore is in force until its time is over.
      deletes: activeDeletes(db, manifestVersion(db)).filter(
        ({ isReplay, receivedUs }) => !isReplay || receivedUs < context.nowUs(),
      ),
      seen: lastDelete(db),
      // As of now, and not of the first attempt: a later delete takes later batches. Pages of the head that were
      // freed before may lie in what has come in since: all of that goes too.
      lastBatch: Number(db.prepare("SELECT max(id) FROM batches").pluck().get() ?? 0),
    }))();
    if (deletes.length === 0) {
      return undefined;
    }
    const shrunk = (await emptyHead(context, lastBatch))
      ? // What such a one takes was never written to a segment.
        await rewriteSegments(
          context,
          deletes.filter(({ isReplay }) => !isReplay),
          seen,
        )
      : undefined;
    bytes += shrunk?.bytes ?? 0;
    if (shrunk?.isComplete === true) {
      const issuedUs = Math.min(...deletes.map((one) => one.issuedUs));
      return {
        deletes: deletes.map(({ id }) => id),
        version: manifestVersion(db),
        records: deletedSince(context, issuedUs),
        bytes,
        detail: deletes.map(describeDelete).join("; "),
        issuedUs,
      };
    }
  }
  throw new Error(
    "deleted records are hidden, but not gone from the files yet: other jobs keep coming in between",
  );
}

/** Compacts what the head held when this began; the compaction leaves out what is deleted. */
async function emptyHead(context: JobContext, lastBatch: number): Promise<boolean> {
  const left = context.db.prepare("SELECT 1 FROM live_batches WHERE id <= ? LIMIT 1").pluck();
  while (left.get(lastBatch) !== undefined) {
    await context.checkpoint();
    if ((await compact(context, 6)) === undefined) {
      return false;
    }
  }
  return true;
}

/** Bytes that the files have become smaller by, also where another change has ended it early. */
async function rewriteSegments(
  context: JobContext,
  deletes: readonly ActiveDelete[],
  deletesSeen: number,
): Promise<{ readonly isComplete: boolean; readonly bytes: number }> {
  const { db, dataDir } = context;
  using records = new DeletedRecords(db, dataDir, deletes);
  let bytes = 0;
  for (const entry of segmentsAt(db, manifestVersion(db))) {
    const search = records.in(entry);
    let step = search.next();
    while (step.done !== true) {
      await context.checkpoint();
      step = search.next();
    }
    const cuts = step.value;
    if (cuts.size > 0) {
      const detail = "one segment without what was deleted";
      const outcome = await rewrite(context, entry, {
        cutsOf: () => cuts,
        reason: "deleted",
        deletesSeen,
        detail,
      });
      if (outcome === undefined) {
        return { isComplete: false, bytes };
      }
      bytes += entry.bytes - outcome.bytes;
    }
  }
  return { isComplete: true, bytes };
}

/** Whichever job has left them out: a compaction that was due may have come first, or a crash in between. */
function deletedSince({ db }: JobContext, issuedUs: number): number {
  return Number(
    db
      .prepare(
        `SELECT coalesce(sum(json_extract(outcome, '$.deleted')), 0) FROM jobs
         WHERE started_us + took_ms * 1000 >= ?`,
      )
      .pluck()
      .get(issuedUs),
  );
}

function describeDelete({ query, fromUs, untilUs }: ActiveDelete): string {
  const from = Number.isFinite(fromUs) ? `, from ${formatTimeRfc3339(timeUs(fromUs))}` : "";
  const until = Number.isFinite(untilUs) ? `, until ${formatTimeRfc3339(timeUs(untilUs))}` : "";
  return `${query}${from}${until}`;
}
