import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { applyDeletes } from "../backup/delete-replay.ts";
import { DATA_DELETE_LOG, readDeleteLog } from "../backup/delete-log.ts";
import { StoreError } from "../errors.ts";
import { openHeadForReading, openHeadForWriting } from "../head/head-file.ts";
import { listSegmentFiles, syncFile, syncFolder } from "../manifest/segment-folder.ts";
import { giveToOwnerOf } from "../manifest/owner.ts";
import { recordJob } from "../manifest/swap.ts";
import { StoreLock } from "../store-lock.ts";
import type { DoctorReport } from "./doctor-report.ts";
import { runDoctor } from "./doctor.ts";
import { RebuiltManifest } from "./rebuilt-manifest.ts";
import { surveySegments } from "./segment-survey.ts";

export interface RebuildResult {
  readonly storeId: string;
  readonly segments: number;
  readonly streams: number;
  readonly records: number;
  /** Deletes of the log that are in force again. */
  readonly deletes: number;
  /** Segments that were left out, each with the reason. */
  readonly leftOut: readonly string[];
  /** Where the old head was moved to; undefined where there was none. */
  readonly movedTo: string | undefined;
  readonly doctor: DoctorReport;
}

const HEAD_SUFFIXES = ["", "-wal", "-shm", "-journal"];

/** The new head until it is complete. */
const DRAFT = "head.db.rebuilding";

/**
 * Makes the head again from the segments, which describe themselves. What only the head held is lost:
 * batches that had not got into a segment, cursors, gaps, jobs. The store gets a new id, so that each
 * agent goes on from its own newest checkpoint.
 *
 * @throws StoreError `rebuild-refused` where the head is sound, `data-locked`
 */
export async function rebuildHead(dataDir: string, nowMs: () => number): Promise<RebuildResult> {
  const startedUs = nowMs() * 1000;
  if (!existsSync(dataDir)) {
    throw new StoreError("data-missing", `${dataDir}: there is no such folder`, "check data_dir");
  }
  using _lock = StoreLock.acquire(dataDir);
  await refuseWhereSound(dataDir);
  const draft = join(dataDir, DRAFT);
  removeDraft(draft);
  const survey = surveySegments(dataDir, listSegmentFiles(dataDir));
  if (survey.segments.length === 0) {
    throw new StoreError(
      "rebuild-refused",
      `${dataDir}: holds no segment that can be read`,
      "restore a backup, or start the collector on an empty data_dir: agents send again what they still hold",
    );
  }
  const logged = await readDeleteLog(join(dataDir, DATA_DELETE_LOG));
  const db = openHeadForWriting(draft);
  let facts;
  try {
    facts = db
      .transaction(() => {
        const { streams, records } = new RebuiltManifest(db).write(survey);
        const deletes = applyDeletes(db, logged, undefined);
        recordJob(db, {
          kind: "rebuild",
          dueUs: startedUs,
          startedUs,
          tookMs: nowMs() - startedUs / 1000,
          outcome: { segments: survey.segments.length, streams, records, deletes },
          detail: "the head was made again from the segments",
        });
        const storeId = db.prepare("SELECT value FROM meta WHERE key = 'store_id'").pluck().get();
        return { streams, records, deletes, storeId: storeId as string };
      })
      .immediate();
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
  giveToOwnerOf(dataDir, draft);
  syncFile(draft);
  const movedTo = moveHeadAside(dataDir, nowMs());
  renameSync(draft, join(dataDir, "head.db"));
  syncFolder(dataDir);
  removeDraft(draft);
  const doctor = await runDoctor({ dataDir, isDeep: false });
  const { segments, leftOut } = survey;
  return { ...facts, segments: segments.length, leftOut, movedTo, doctor };
}

/** A sound head holds what no segment does: to throw it away is never what somebody wants. */
async function refuseWhereSound(dataDir: string): Promise<void> {
  if (!existsSync(join(dataDir, "head.db"))) {
    return;
  }
  let isSound = true;
  try {
    const db = openHeadForReading(join(dataDir, "head.db"));
    try {
      isSound = db.pragma("quick_check(1)", { simple: true }) === "ok";
    } finally {
      db.close();
    }
  } catch (error) {
    if (
      error instanceof StoreError &&
      error.code !== "data-corrupt" &&
      error.code !== "data-foreign"
    ) {
      throw error;
    }
    isSound = false;
  }
  if (isSound) {
    throw new StoreError(
      "rebuild-refused",
      `${join(dataDir, "head.db")}: is sound, and holds more than the segments do`,
      "leave it as it is; to begin from the segments all the same, move it away first",
    );
  }
}

function moveHeadAside(dataDir: string, nowMs: number): string | undefined {
  const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const aside = join(dataDir, `head.db.before-rebuild-${time}Z`);
  // Its log goes with it, or SQLite would carry it out on the new head. The head first: without its
  // log it might look sound, and lack what was committed last.
  let movedTo: string | undefined;
  for (const suffix of HEAD_SUFFIXES) {
    if (existsSync(join(dataDir, `head.db${suffix}`))) {
      renameSync(join(dataDir, `head.db${suffix}`), aside + suffix);
      movedTo = aside;
    }
  }
  return movedTo;
}

function removeDraft(draft: string): void {
  for (const suffix of HEAD_SUFFIXES) {
    rmSync(draft + suffix, { force: true });
  }
}
