import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { Run } from "../src/block/run.ts";
import { DeleteIssuer, type DeleteOrder } from "../src/head/delete-issuer.ts";
import { type PruneOrder, Pruner, type PruneResult } from "../src/head/pruner.ts";
import { type Reclaimed, reclaimableVersion, Reclaimer } from "../src/head/reclaimer.ts";
import { compact } from "../src/maintenance/compaction.ts";
import { takeOutDeleted, type TakenOut } from "../src/maintenance/deletion.ts";
import type { JobContext } from "../src/maintenance/job-context.ts";
import { lastDelete } from "../src/maintenance/job-context.ts";
import { merge } from "../src/maintenance/merge.ts";
import type { Outcome } from "../src/maintenance/replacement.ts";
import { cutStreams, rewrite } from "../src/maintenance/rewrite.ts";
import {
  manifestVersion,
  type SegmentEntry,
  segmentsAt,
  streamsOfSegment,
} from "../src/manifest/manifest.ts";
import { type SweepReport, sweepSegments } from "../src/manifest/orphan-sweep.ts";
import { listSegmentFiles, unlinkSegment } from "../src/manifest/segment-folder.ts";
import { announceSegments, applySwap } from "../src/manifest/swap.ts";
import { runFacts, type RunFacts } from "../src/segment/run-facts.ts";
import { SegmentFile } from "../src/segment/segment-file.ts";
import { SegmentRunReader } from "../src/segment/segment-run-reader.ts";
import type { StoredLog } from "./stored-log.ts";

/** What happens in the middle of a job: at each of its checkpoints, counted from 1, before its swap and behind it. */
export interface Interference {
  readonly happen: (at: number | "swap" | "swapped") => void;
}

/** Behind all receipt times of a test. */
const LATER_US = 4e15;

/** What the threads of a store do to its data, one step after the other in the thread of the test. */
export class LogKeeper {
  readonly log: StoredLog;
  readonly quarantined: string[] = [];
  readonly unreadable: string[] = [];
  #discarded: string[] = [];

  constructor(log: StoredLog) {
    this.log = log;
  }

  get segments(): SegmentEntry[] {
    return segmentsAt(this.log.db, manifestVersion(this.log.db));
  }

  context(interference?: Interference): JobContext {
    const { log } = this;
    let checkpoints = 0;
    return {
      dataDir: log.dataDir,
      db: log.db,
      announce: async (paths) => {
        announceSegments(log.db, paths);
        this.#discarded.splice(0).forEach((path) => unlinkSegment(log.dataDir, path));
      },
      swap: async (swap) => {
        interference?.happen("swap");
        const result = applySwap(log.db, swap);
        interference?.happen("swapped");
        return result;
      },
      discard: (paths) => this.#discarded.push(...paths),
      checkpoint: async () => {
        checkpoints += 1;
        interference?.happen(checkpoints);
      },
      nowUs: () => LATER_US,
      unreadable: ({ path }) => this.unreadable.push(path),
      quarantined: (what) => this.quarantined.push(what),
    };
  }

  compact(level = 3, interference?: Interference): Promise<Outcome | undefined> {
    return compact(this.context(interference), level);
  }

  merge(segments: readonly number[], interference?: Interference): Promise<Outcome | undefined> {
    return merge(this.context(interference), { segments, level: 3 });
  }

  /** Writes a segment anew without some of its streams. */
  async dropStreams(
    segment: number,
    streams: ReadonlySet<number>,
    interference?: Interference,
  ): Promise<Outcome | undefined> {
    const entry = this.segments.find(({ id }) => id === segment);
    return entry === undefined
      ? undefined
      : await rewrite(this.context(interference), entry, {
          cutsOf: (runs) => cutStreams(runs, streams),
          reason: "pruned",
          deletesSeen: lastDelete(this.log.db),
          detail: "",
        });
  }

  prune(order: PruneOrder): PruneResult {
    return new Pruner(this.log.db).run(order);
  }

  /** Returns the receipt time up to which it deletes. */
  delete(order: Partial<DeleteOrder> & { readonly query: string }): number {
    const whole = { fromUs: undefined, untilUs: undefined, issuedUs: 1, ...order };
    return new DeleteIssuer(this.log.db, this.log.head).issue(whole).receivedUs;
  }

  /** Undefined where there was nothing to do. */
  async removeDeleted(interference?: Interference): Promise<TakenOut | undefined> {
    const takenOut = await takeOutDeleted(this.context(interference), 10);
    applySwap(this.log.db, {
      add: [],
      removeBatches: [],
      removeSegments: [],
      removed: [],
      deletesSeen: undefined,
      deletesDone: takenOut?.deletes,
      job: undefined,
    });
    return takenOut;
  }

  /** Deletes for good what no lease needs. */
  reclaim(nowMs = Date.now()): Reclaimed {
    const { db, dataDir } = this.log;
    const reclaimer = new Reclaimer(db);
    const removedUpTo = reclaimableVersion(db, dataDir, nowMs);
    const steps = reclaimer.run({ removedUpTo, keepFreeBytes: 0 });
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        const { segments } = step.value;
        segments.forEach(({ path }) => unlinkSegment(dataDir, path));
        reclaimer.forget(segments.map(({ id }) => id));
        return step.value;
      }
    }
  }

  /** The next process's start: whatever the last one was writing lies about. */
  start(): SweepReport {
    this.#discarded = [];
    const unfinished = join(this.log.dataDir, "segments/default/2026-11-26");
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, "cut-short.db.tmp"), "");
    this.log.reopen();
    return sweepSegments(this.log.db, this.log.dataDir);
  }

  /** Ids of a segment's records, by stream. */
  idsIn({ path }: SegmentEntry): Map<number, string[]> {
    using file = SegmentFile.open(this.log.dataDir, path);
    const ids = new Map<number, string[]>();
    for (const { streamId, block, fromRecord, count } of file.runs) {
      const index = file.index(block);
      const seqs = index.ok ? index.value.seqs.subarray(fromRecord, fromRecord + count) : [];
      const list = ids.get(streamId) ?? [];
      ids.set(streamId, list);
      seqs.forEach((seq) => list.push(`${streamId}-${seq}`));
    }
    return ids;
  }

  /** Where what a segment says of its runs, and the manifest of the segment, is not what its records say. */
  factFindings(): string[] {
    return this.segments.flatMap((entry) => {
      using file = SegmentFile.open(this.log.dataDir, entry.path);
      const reader = new SegmentRunReader(file);
      const facts = file.runs.map((run) => [run, runFacts(reader.read(run) as Run)] as const);
      const sum = (of: (one: RunFacts) => number): number =>
        facts.reduce((total, [, one]) => total + of(one), 0);
      const least = (of: (one: RunFacts) => number): number =>
        Math.min(...facts.map(([, one]) => of(one)));
      const most = (of: (one: RunFacts) => number): number =>
        Math.max(...facts.map(([, one]) => of(one)));
      const said = {
        blocks: file.blockCount,
        records: sum(({ count }) => count),
        bodyBytes: sum(({ bodyBytes }) => bodyBytes),
        minTimeUs: least(({ minTimeUs }) => minTimeUs),
        maxTimeUs: most(({ maxTimeUs }) => maxTimeUs),
        firstReceivedUs: least(({ firstReceivedUs }) => firstReceivedUs),
        lastReceivedUs: most(({ lastReceivedUs }) => lastReceivedUs),
        firstBatch: least(({ firstBatch }) => firstBatch),
        lastBatch: most(({ lastBatch }) => lastBatch),
        severities: facts.reduce((mask, [, { severities }]) => mask | severities, 0),
      };
      const streams = streamsOfSegment(this.log.db, entry.id);
      return [
        ...facts
          .filter(([run, one]) => !isDeepStrictEqual({ ...run, ...one }, run))
          .map(([run, one]) => `${entry.path}: ${JSON.stringify([run, one])}`),
        ...(isDeepStrictEqual({ ...entry, ...said }, entry)
          ? []
          : [`${entry.path}: ${JSON.stringify([entry, said])}`]),
        ...streams
          .filter(
            ({ streamId, records }) =>
              records !== sum((one) => (one.streamId === streamId ? one.count : 0)),
          )
          .map((stream) => `${entry.path}: ${JSON.stringify(stream)}`),
      ];
    });
  }

  /** What doctor would find: streams whose records are not all accounted for, and files that do not fit the manifest. */
  findings(): string[] {
    const { db, dataDir } = this.log;
    const streams = db
      .prepare(
        `SELECT id, records, removed_records AS removed,
           (SELECT coalesce(sum(count), 0) FROM live_batches WHERE stream = streams.id) AS inHead,
           (SELECT coalesce(sum(segment_streams.records), 0) FROM segment_streams JOIN segments ON segments.id = segment
            WHERE stream = streams.id AND segments.removed IS NULL) AS inSegments
         FROM streams`,
      )
      .all() as Record<"id" | "records" | "removed" | "inHead" | "inSegments", number>[];
    const files = new Set(listSegmentFiles(dataDir));
    return [
      ...streams
        .filter(
          ({ records, removed, inHead, inSegments }) => records !== removed + inHead + inSegments,
        )
        .map((stream) => `not all accounted for: ${JSON.stringify(stream)}`),
      ...this.segments
        .filter(({ path }) => !existsSync(join(dataDir, path)))
        .map(({ path }) => `missing: ${path}`),
      ...[...files].filter((path) => path.endsWith(".tmp")).map((path) => `unfinished: ${path}`),
    ];
  }
}
