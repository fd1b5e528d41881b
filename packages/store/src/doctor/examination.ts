import { join } from "node:path";

import { readBackup, verifyBackup } from "../backup/backup-file.ts";
import { isBackup } from "../backup/backup-layout.ts";
import { StoreError } from "../errors.ts";
import { BatchReader } from "../head/batch-run.ts";
import {
  describeSqliteError,
  type HeadDatabase,
  isCorruption,
  openHeadForReading,
} from "../head/head-file.ts";
import { HeldVersion } from "../manifest/held-version.ts";
import { manifestVersion } from "../manifest/manifest.ts";
import { listSegmentFiles } from "../manifest/segment-folder.ts";
import { SegmentError } from "../segment/segment-error.ts";
import { SegmentFile } from "../segment/segment-file.ts";
import { compareBatch } from "./batch-check.ts";
import { BlockCheck } from "./block-check.ts";
import { type DoctorCheck, type DoctorReport, Findings } from "./doctor-report.ts";
import { checkFiles } from "./file-check.ts";
import { type ManifestSnapshot, readManifest } from "./manifest-snapshot.ts";
import { compareSegment } from "./segment-check.ts";
import { StreamCheck } from "./stream-check.ts";
import { adviceFor, verdictOf } from "./verdict.ts";

export interface ExaminationOptions {
  readonly dataDir: string;
  /** Reads every record. */
  readonly isDeep: boolean;
}

/**
 * Looks whether a data folder, or a backup, is whole. Changes nothing, also beside a running
 * collector. Blocks: for a thread of its own.
 */
export function examine(
  { dataDir, isDeep }: ExaminationOptions,
  nowMs: () => number,
): DoctorReport {
  const checks: DoctorCheck[] = [];
  if (isBackup(dataDir)) {
    checks.push(checkBackup(dataDir));
  }
  const head = openHead(dataDir, checks);
  if (head !== undefined) {
    try {
      examineHead(head, { dataDir, isDeep }, nowMs, checks);
    } finally {
      head.close();
    }
  }
  const problems = checks.reduce((sum, { problemCount }) => sum + problemCount, 0);
  const verdict = verdictOf(checks, isDeep);
  return {
    dataDir,
    isDeep,
    checks,
    problems,
    verdict,
    advice: adviceFor(checks, isBackup(dataDir)),
  };
}

function checkBackup(dataDir: string): DoctorCheck {
  const findings = new Findings("backup");
  try {
    const backup = readBackup(dataDir);
    verifyBackup(dataDir, backup).forEach((text) => findings.problem(text));
    for (const path of backup.missing) {
      findings.note(`${path}: the store had lost it before the backup was made`);
    }
    return findings.done(`${backup.files.length} files, of ${backup.taken}`);
  } catch (error) {
    if (error instanceof StoreError) {
      findings.problem(error.message);
      return findings.done("cannot be read");
    }
    throw error;
  }
}

function openHead(dataDir: string, checks: DoctorCheck[]): HeadDatabase | undefined {
  const findings = new Findings("head");
  try {
    const db = openHeadForReading(join(dataDir, "head.db"));
    for (const row of quickCheck(db)) {
      findings.problem(`head.db: ${row}`);
    }
    checks.push(
      findings.done(`head.db of version ${String(db.pragma("user_version", { simple: true }))}`),
    );
    if (findings.isClean) {
      return db;
    }
    db.close();
  } catch (error) {
    // Of a newer version, or of another user: there is nothing to examine, and nothing is wrong with it.
    if (!(error instanceof StoreError) || !["data-corrupt", "data-missing"].includes(error.code)) {
      throw error;
    }
    findings.problem(error.message);
    checks.push(findings.done("cannot be opened"));
  }
  return undefined;
}

function quickCheck(db: HeadDatabase): string[] {
  try {
    const rows = db.pragma("quick_check(20)") as { quick_check: string }[];
    return rows.map((row) => row.quick_check).filter((text) => text !== "ok");
  } catch (error) {
    if (isCorruption(error)) {
      return [(error as Error).message];
    }
    throw error;
  }
}

function examineHead(
  head: HeadDatabase,
  { dataDir, isDeep }: ExaminationOptions,
  nowMs: () => number,
  checks: DoctorCheck[],
): void {
  using held = hold(dataDir, head, nowMs);
  const files = listSegmentFiles(dataDir);
  let manifest: ManifestSnapshot;
  try {
    manifest = readManifest(head);
  } catch (error) {
    throw describeSqliteError(error, join(dataDir, "head.db"));
  }
  checks.push(checkFiles(dataDir, files, manifest));
  const streams = new StreamCheck(manifest);
  const segments = new Findings("segments");
  const blocks = new Findings("blocks");
  const blockCheck = new BlockCheck();
  let blockCount = 0;
  let records = 0;
  for (const entry of manifest.segments) {
    held?.renew(nowMs());
    try {
      using file = SegmentFile.open(dataDir, entry.path);
      compareSegment(entry, file).forEach((text) => segments.problem(`${entry.path}: ${text}`));
      if (isDeep) {
        const found = blockCheck.run(file, (run) => {
          records += run.columns.count;
          streams.addAll(run.streamId, run.seqs);
        });
        found.forEach((text) => blocks.problem(`${entry.path}: ${text}`));
        blockCount += file.blockCount;
      } else {
        file.runs.forEach((run) => streams.addListed(run));
      }
    } catch (error) {
      if (!(error instanceof SegmentError)) {
        throw error;
      }
      if (error.code !== "gone") {
        segments.problem(error.message); // what is missing was told with the files
      }
    }
  }
  checks.push(segments.done(`${manifest.segments.length} opened, and compared with the manifest`));
  if (isDeep) {
    checks.push(blocks.done(`${blockCount} decoded, ${records} records`));
    checks.push(checkBatches(head, manifest));
  }
  checks.push(streams.counts(), streams.sequences());
}

function checkBatches(head: HeadDatabase, { batches }: ManifestSnapshot): DoctorCheck {
  const findings = new Findings("batches");
  const reader = new BatchReader(head);
  let records = 0;
  for (const entry of batches) {
    const found = compareBatch(entry, reader);
    if (found !== undefined) {
      records += entry.count;
      found.forEach((text) => findings.problem(`batch ${entry.id}: ${text}`));
    }
  }
  return findings.done(`${batches.length} of the head decoded, ${records} records`);
}

/** Keeps in place what is read, where somebody may remove it: nobody does in a backup, or where we may not write. */
function hold(dataDir: string, head: HeadDatabase, nowMs: () => number): HeldVersion | undefined {
  if (isBackup(dataDir)) {
    return undefined;
  }
  try {
    return new HeldVersion(dataDir, manifestVersion(head), nowMs());
  } catch (error) {
    if (
      ["EACCES", "EROFS", "EPERM", "ENOSPC"].includes((error as NodeJS.ErrnoException).code ?? "")
    ) {
      return undefined;
    }
    throw error;
  }
}
