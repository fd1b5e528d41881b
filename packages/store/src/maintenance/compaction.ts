import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { BATCH_COLUMNS, type BatchEntry, BatchReader } from "../head/batch-run.ts";
import type { HeadDatabase } from "../head/head-file.ts";
import { rangesOf } from "../head/pruner.ts";
import { manifestVersion } from "../manifest/manifest.ts";
import { activeDeletes, Visibility } from "../manifest/visibility.ts";
import type { StreamDescription } from "../segment/segment-writer.ts";
import { dayOf, describeStreams, type JobContext, lastDelete } from "./job-context.ts";
import { RecordSieve } from "./record-sieve.ts";
import { type Outcome, replace } from "./replacement.ts";
import { RemovalCount } from "./removal-count.ts";
import { SegmentOutput, sumByStream } from "./segment-output.ts";

/** What one compaction takes at the most: a longer one would hold its input, twice, on the disk. */
const MOST_RAW_BYTES = 512 * 1024 * 1024;

/**
 * Takes the oldest batches out of the head and writes their records as segments, one for each
 * partition and day of receipt. Undefined where the head holds none, or where another change came in
 * between: then nothing has changed.
 */
export async function compact(context: JobContext, level: number): Promise<Outcome | undefined> {
  const { db, dataDir } = context;
  const startedUs = context.nowUs();
  const { batches, deletes, visibility, deletesSeen, streams } = readInput(db);
  const last = batches.at(-1);
  if (last === undefined) {
    return undefined;
  }
  const sieve = new RecordSieve(visibility, deletes);
  const removal = new RemovalCount();
  const reader = new BatchReader(db);
  using output = new SegmentOutput(dataDir, level, sumByStream(batches), []);
  for (const batch of inStreamOrder(batches)) {
    await context.checkpoint();
    const run = reader.read(batch);
    if (run === "gone") {
      return undefined; // Pruned meanwhile: the swap would be refused.
    }
    if (run === "damaged") {
      keepDamaged(context, batch);
      removal.add(batch.streamId, "damaged", batch.count);
      continue;
    }
    const stream = streams.get(batch.streamId) as StreamDescription;
    const { parts, expired, deleted } = sieve.sift(run, stream);
    removal.add(batch.streamId, "expired", expired);
    removal.add(batch.streamId, "deleted", deleted);
    for (const [partition, part] of parts) {
      output.add(partition, dayOf(batch.receivedUs), stream, part);
    }
    await output.room();
  }
  const inputs = `${batches.length} batches of the head`;
  // Awaited here: the output is disposed of when this returns.
  return await replace(context, output, removal, {
    kind: "compact",
    detail: `${inputs} to segments, level ${level}`,
    startedUs,
    removeBatches: rangesOf(batches.map(({ id }) => id)),
    removeSegments: [],
    deletesSeen,
    outcome: { batches: batches.length },
  });
}

interface Input {
  /** The oldest ones, by id. */
  readonly batches: readonly BatchEntry[];
  readonly deletes: ReturnType<typeof activeDeletes>;
  readonly visibility: Visibility;
  readonly deletesSeen: number;
  readonly streams: Map<number, StreamDescription>;
}

function readInput(db: HeadDatabase): Input {
  return db.transaction(() => {
    const all = db
      .prepare(`SELECT ${BATCH_COLUMNS} FROM live_batches ORDER BY id`)
      .iterate() as IterableIterator<BatchEntry>;
    const batches: BatchEntry[] = [];
    let rawBytes = 0;
    for (const batch of all) {
      rawBytes += batch.rawBytes;
      if (rawBytes > MOST_RAW_BYTES && batches.length > 0) {
        break;
      }
      batches.push(batch);
    }
    return {
      batches,
      deletes: activeDeletes(db, manifestVersion(db)),
      visibility: Visibility.read(db),
      deletesSeen: lastDelete(db),
      streams: describeStreams(db),
    };
  })();
}

/** By day, then by stream: blocks are filled with one stream after the other. */
function inStreamOrder(batches: readonly BatchEntry[]): BatchEntry[] {
  return batches.toSorted((a, b) => a.streamId - b.streamId || a.firstSeq - b.firstSeq);
}

/** A batch that cannot be decoded must not keep the others from being compacted: its payload is put aside as it is. */
function keepDamaged({ db, dataDir, quarantined }: JobContext, batch: BatchEntry): void {
  const place = `quarantine/batch-${batch.id}.payload`;
  mkdirSync(join(dataDir, "quarantine"), { recursive: true, mode: 0o700 });
  let payload: unknown;
  try {
    payload = db.prepare("SELECT payload FROM batches WHERE id = ?").pluck().get(batch.id);
  } catch (error) {
    payload = Buffer.from(`cannot be read: ${(error as Error).message}\n`);
  }
  writeFileSync(join(dataDir, place), payload as Uint8Array, { mode: 0o600, flush: true });
  quarantined(`${place}: batch ${batch.id}, ${batch.count} records of stream ${batch.streamId}`);
}
