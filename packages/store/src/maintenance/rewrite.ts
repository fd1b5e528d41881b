import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Run } from "../block/run.ts";
import { selectFromRun } from "../block/run-selection.ts";
import type { SegmentEntry } from "../manifest/manifest.ts";
import type { SegmentFile, SegmentRun } from "../segment/segment-file.ts";
import { SegmentRunReader } from "../segment/segment-run-reader.ts";
import type { StreamDescription } from "../segment/segment-writer.ts";
import { describeStreams, type JobContext } from "./job-context.ts";
import { RemovalCount } from "./removal-count.ts";
import { type Outcome, replace } from "./replacement.ts";
import { openInput } from "./segment-input.ts";
import { SegmentOutput, sumByStream } from "./segment-output.ts";

/** What is left out of a run: all of it, or the records of these sequence numbers, ascending. */
export type RunCut = "all" | Float64Array;

export interface RewriteOptions {
  /** By the run's id in the segment; what is not named stays. */
  readonly cutsOf: (runs: readonly SegmentRun[]) => ReadonlyMap<number, RunCut>;
  /** As what the records that go are counted. */
  readonly reason: "pruned" | "deleted";
  /** Highest id of a delete that the cuts take into account. */
  readonly deletesSeen: number;
  readonly detail: string;
}

/**
 * Writes one segment anew without some of its records. A block that keeps all of its own is taken over
 * as it is, and only what is left of the others is encoded again. Undefined where another change came in
 * between: then nothing has changed.
 *
 * A dictionary is made of lines of one block. When that block loses some, the dictionary goes too, and
 * what is compressed against it is encoded again: a line that is gone stands nowhere in the new file.
 */
export async function rewrite(
  context: JobContext,
  entry: SegmentEntry,
  { cutsOf, reason, deletesSeen, detail }: RewriteOptions,
): Promise<Outcome | undefined> {
  const { db, dataDir } = context;
  const startedUs = context.nowUs();
  const streams = describeStreams(db);
  const describe = ({ streamId }: SegmentRun): StreamDescription =>
    streams.get(streamId) as StreamDescription;
  const removal = new RemovalCount();
  using file = openInput(context, entry);
  if (file === undefined) {
    return undefined;
  }
  const cuts = cutsOf(file.runs);
  const reader = new SegmentRunReader(file);
  const kept = file.runs.filter(({ id }) => cuts.get(id) !== "all");
  using output = new SegmentOutput(dataDir, entry.level, sumByStream(kept), [entry.path]);
  const sources = file.dictionarySources();
  // Of which the new file has no copy, nor then of the dictionaries that are made of them.
  const lossy = new Set(file.runs.filter(({ id }) => cuts.has(id)).map(({ block }) => block));
  const isCopied = (block: number): boolean => {
    const dictionary = file.dictionaryIdOf(block);
    const source = dictionary === undefined ? block : sources.get(dictionary);
    return !lossy.has(block) && source !== undefined && !lossy.has(source);
  };
  for (const [block, runs] of Map.groupBy(file.runs, (run) => run.block)) {
    await context.checkpoint();
    let isWhole = true;
    if (isCopied(block)) {
      isWhole = await output.copy(entry, file, block, runs, runs.map(describe));
      countDamage(removal, isWhole ? [] : runs);
    } else {
      for (const run of runs) {
        const cut = cuts.get(run.id);
        if (cut === "all") {
          removal.add(run.streamId, reason, run.count);
          continue;
        }
        const records = reader.read(run);
        if (records === undefined) {
          isWhole = false;
          countDamage(removal, [run]);
          continue;
        }
        removal.add(run.streamId, reason, cut?.length ?? 0);
        const left = without(records, cut);
        if (left !== undefined) {
          output.add(entry.partition, entry.day, describe(run), left);
        }
      }
    }
    await output.room();
    if (!isWhole) {
      lossy.add(block);
      keepBlock(context, file, block);
    }
  }
  // Awaited here: the output is disposed of when this returns.
  return await replace(context, output, removal, {
    kind: "rewrite",
    detail,
    startedUs,
    removeBatches: [],
    removeSegments: [entry.id],
    deletesSeen,
    outcome: { inputs: 1, inputBytes: entry.bytes },
  });
}

/** What drops whole streams. */
export function cutStreams(
  runs: readonly SegmentRun[],
  streams: ReadonlySet<number>,
): Map<number, RunCut> {
  return new Map(
    runs.filter(({ streamId }) => streams.has(streamId)).map(({ id }) => [id, "all"] as const),
  );
}

function without(run: Run, cut: Float64Array | undefined): Run | undefined {
  if (cut === undefined) {
    return run;
  }
  const kept: number[] = [];
  let at = 0;
  for (const [index, seq] of run.seqs.entries()) {
    while (at < cut.length && (cut[at] ?? 0) < seq) {
      at += 1;
    }
    if (cut[at] !== seq) {
      kept.push(index);
    }
  }
  return selectFromRun(run, kept);
}

function countDamage(removal: RemovalCount, runs: readonly SegmentRun[]): void {
  for (const { streamId, count } of runs) {
    removal.add(streamId, "damaged", count);
  }
}

/** What cannot be decoded is put aside as it is; the rest of the file may hold what is to be gone. */
function keepBlock(context: JobContext, file: SegmentFile, block: number): void {
  const { dataDir, quarantined } = context;
  const place = `quarantine/${file.path.replaceAll("/", "_")}.block-${block}`;
  mkdirSync(join(dataDir, "quarantine"), { recursive: true, mode: 0o700 });
  const stored = file.stored(block);
  writeFileSync(
    join(dataDir, place),
    stored === undefined
      ? "its pages cannot be read\n"
      : Buffer.concat([stored.index, stored.content]),
    { mode: 0o600 },
  );
  quarantined(`${place}: a block of ${file.path} that cannot be decoded`);
}
