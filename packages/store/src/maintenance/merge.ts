import type { Run } from "../block/run.ts";
import { keepCopy } from "../manifest/segment-folder.ts";
import { activeDeletes, Visibility } from "../manifest/visibility.ts";
import { manifestVersion, type SegmentEntry, segmentsAt } from "../manifest/manifest.ts";
import type { SegmentFile, SegmentRun } from "../segment/segment-file.ts";
import { SegmentRunReader } from "../segment/segment-run-reader.ts";
import type { StreamDescription } from "../segment/segment-writer.ts";
import { describeStreams, type JobContext, lastDelete } from "./job-context.ts";
import { RecordSieve } from "./record-sieve.ts";
import { RemovalCount } from "./removal-count.ts";
import { RunOrder } from "./run-order.ts";
import { type Outcome, replace } from "./replacement.ts";
import { openInput } from "./segment-input.ts";
import { SegmentOutput, sumByStream } from "./segment-output.ts";

export interface MergeOptions {
  readonly segments: readonly number[];
  readonly level: number;
}

interface Source {
  readonly entry: SegmentEntry;
  readonly file: SegmentFile;
  readonly reader: SegmentRunReader;
}

interface SourceRun {
  readonly source: Source;
  readonly run: SegmentRun;
}

/**
 * Writes segments of one day anew, many as one, without the records that have expired or were deleted
 * since. Undefined where an input was removed meanwhile: then nothing has changed.
 */
export async function merge(
  context: JobContext,
  options: MergeOptions,
): Promise<Outcome | undefined> {
  const { db, dataDir } = context;
  const startedUs = context.nowUs();
  const { entries, visibility, deletes, deletesSeen, streams } = db.transaction(() => ({
    entries: segmentsAt(db, manifestVersion(db)).filter(({ id }) => options.segments.includes(id)),
    visibility: Visibility.read(db),
    deletes: activeDeletes(db, manifestVersion(db)),
    deletesSeen: lastDelete(db),
    streams: describeStreams(db),
  }))();
  const [first] = entries;
  if (first === undefined || entries.length < options.segments.length) {
    return undefined;
  }
  const sieve = new RecordSieve(visibility, deletes);
  const removal = new RemovalCount();
  using files = new DisposableStack();
  const sources: Source[] = [];
  for (const entry of entries) {
    const file = openInput(context, entry);
    if (file === undefined) {
      return undefined;
    }
    sources.push({ entry, file: files.use(file), reader: new SegmentRunReader(file) });
  }
  const streamBytes = sumByStream(sources.flatMap(({ file }) => file.runs));
  using output = new SegmentOutput(
    dataDir,
    options.level,
    streamBytes,
    entries.map(({ path }) => path),
  );
  const order = new RunOrder();
  const take = (runs: Iterable<Run>): void => {
    for (const run of runs) {
      const stream = streams.get(run.streamId) as StreamDescription;
      const { parts, expired, deleted } = sieve.sift(run, stream);
      removal.add(run.streamId, "expired", expired);
      removal.add(run.streamId, "deleted", deleted);
      for (const [partition, part] of parts) {
        output.add(partition, first.day, stream, part);
      }
    }
  };
  for (const { source, run } of runsInOrder(sources)) {
    await context.checkpoint();
    const { entry, reader } = source;
    const records = reader.read(run);
    if (records === undefined) {
      const kept = keepCopy(dataDir, entry.path);
      context.quarantined(`${kept}: block ${run.block}, ${run.count} records`);
      removal.add(run.streamId, "damaged", run.count);
      continue;
    }
    take(order.push(records));
    await output.room();
  }
  take(order.flush());
  // Awaited here: the output is disposed of when this returns.
  return await replace(context, output, removal, {
    kind: "merge",
    detail: `${entries.length} segments to one, level ${options.level}`,
    startedUs,
    removeBatches: [],
    removeSegments: entries.map(({ id }) => id),
    deletesSeen,
    outcome: {
      inputs: entries.length,
      inputBytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    },
  });
}

/** Stream by stream, and each stream's runs in the order of their first sequence numbers, whichever segment they lie in. */
function runsInOrder(sources: readonly Source[]): SourceRun[] {
  return sources
    .flatMap((source) => source.file.runs.map((run) => ({ source, run })))
    .sort((a, b) => a.run.streamId - b.run.streamId || a.run.firstSeq - b.run.firstSeq);
}
