import { existsSync } from "node:fs";
import { join } from "node:path";

import { activeDeletes } from "../manifest/visibility.ts";
import { manifestVersion, type SegmentEntry, segmentsAt } from "../manifest/manifest.ts";
import { compact } from "./compaction.ts";
import { type JobContext, lastDelete } from "./job-context.ts";
import { merge } from "./merge.ts";

/**
 * Takes the records of all deletes that were issued out of the files: first the head's, by compacting
 * what it holds, then those of each segment that may have some. Records that came in later stay.
 *
 * @throws Error where other changes came in between too often
 */
export async function removeDeleted(context: JobContext, mostRetries: number): Promise<void> {
  const { db } = context;
  for (let retries = 0; retries < mostRetries; retries++) {
    // One that is to take what agents send again after a restore is in force until its time is over.
    const deletes = activeDeletes(db, manifestVersion(db)).filter(
      ({ receivedUs }) => receivedUs < context.nowUs(),
    );
    if (deletes.length === 0) {
      return;
    }
    const seen = lastDelete(db);
    const receivedUs = Math.max(...deletes.map((one) => one.receivedUs));
    // What such a one takes was never written to a segment.
    const inSegments = deletes.filter(({ isReplay }) => !isReplay);
    const isRewritten =
      (await emptyHead(context, receivedUs)) && (await rewriteSegments(context, inSegments));
    if (!isRewritten || lastDelete(db) > seen) {
      continue;
    }
    const startedUs = context.nowUs();
    const { ok } = await context.swap({
      add: [],
      removeBatches: [],
      removeSegments: [],
      removed: [],
      deletesSeen: seen,
      deletesDone: deletes.map(({ id }) => id),
      job: {
        kind: "delete",
        dueUs: startedUs,
        startedUs,
        tookMs: 0,
        outcome: { deletes: deletes.length },
        detail: `deletes ${deletes.map(({ id }) => id).join(", ")} are gone from the files`,
      },
    });
    if (ok) {
      return;
    }
  }
  throw new Error(
    "deleted records are hidden, but not gone from the files yet: other jobs keep coming in between",
  );
}

/** Compacts what the head holds of the time before the deletes; the compaction leaves out what is deleted. */
async function emptyHead(context: JobContext, receivedUs: number): Promise<boolean> {
  const left = context.db
    .prepare("SELECT 1 FROM live_batches WHERE received_us <= ? LIMIT 1")
    .pluck();
  while (left.get(receivedUs) !== undefined) {
    await context.checkpoint();
    if ((await compact(context, 6)) === undefined) {
      return false;
    }
  }
  return true;
}

async function rewriteSegments(
  context: JobContext,
  deletes: ReturnType<typeof activeDeletes>,
): Promise<boolean> {
  const { db } = context;
  for (const entry of segmentsAt(db, manifestVersion(db))) {
    await context.checkpoint();
    const isThere = existsSync(join(context.dataDir, entry.path));
    if (isThere && deletes.some((one) => mayHold(entry, one))) {
      const detail = "without what was deleted";
      const { id, level } = entry;
      const outcome = await merge(context, { kind: "delete", segments: [id], level, detail });
      if (outcome === undefined) {
        return false;
      }
    }
  }
  return true;
}

function mayHold(
  { minTimeUs, maxTimeUs, firstReceivedUs }: SegmentEntry,
  one: ReturnType<typeof activeDeletes>[number],
): boolean {
  return maxTimeUs >= one.fromUs && minTimeUs < one.untilUs && firstReceivedUs <= one.receivedUs;
}
