import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import type { DoctorReport } from "../doctor/doctor-report.ts";
import { runDoctor } from "../doctor/doctor.ts";
import { StoreError } from "../errors.ts";
import { openHeadForReading, openHeadForWriting } from "../head/head-file.ts";
import { giveToOwnerOf } from "../manifest/owner.ts";
import { syncFolder } from "../manifest/segment-folder.ts";
import { recordJob } from "../manifest/swap.ts";
import { StoreLock } from "../store-lock.ts";
import { damagedBackup, readBackup, verifyBackup } from "./backup-file.ts";
import type { BackupDescription } from "./backup-layout.ts";
import { BACKUP_DELETE_LOG, DATA_DELETE_LOG, readDeleteLog, syncDeleteLogs } from "./delete-log.ts";
import { applyDeletes } from "./delete-replay.ts";
import { accessFiles, copyOwn, linkOrCopy, syncTree } from "./file-placement.ts";
import { isHalfRestored, RESTORE_FOLDER } from "./restore-place.ts";

export interface RestoreOrder {
  readonly backup: string;
  /** Absent, empty, or with `replace` one that holds an older store. */
  readonly dataDir: string;
  /** Moves aside what data_dir holds; the deletes that were issued there count for the restored store too. */
  readonly replace: boolean;
}

export interface RestoreResult {
  readonly dataDir: string;
  readonly backup: BackupDescription;
  /** Deletes that were issued after the backup and are in force again. */
  readonly deletes: number;
  /** Where what data_dir held was moved to. */
  readonly movedTo: string | undefined;
  /** What doctor says of the restored folder. */
  readonly doctor: DoctorReport;
}

/** What a folder may hold and still count as empty: the lock that we took, and what a mounted volume begins with. */
const NOTHING = new Set(["lock.db", "lock.db-journal", "lost+found"]);

/**
 * Makes a data folder out of a backup, which is verified first and stays as it is. The head gets its
 * name last: what a crash leaves is not taken for a store, and the next restore begins anew.
 *
 * @throws StoreError `backup-damaged`, `restore-refused`, `data-locked`
 */
export async function restoreBackup(
  order: RestoreOrder,
  nowMs: () => number,
): Promise<RestoreResult> {
  const source = resolve(order.backup);
  const dataDir = resolve(order.dataDir);
  const startedUs = nowMs() * 1000;
  const backup = verified(source);
  // Of a folder that an administrator has made ready, else of the backup.
  const owner = existsSync(dataDir) ? dataDir : join(source, "head.db");
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  giveToOwnerOf(owner, dataDir);
  let lock = StoreLock.acquire(dataDir);
  try {
    let movedTo: string | undefined;
    if (isHalfRestored(dataDir)) {
      clear(dataDir);
    } else if (!isEmpty(dataDir)) {
      if (!order.replace) {
        throw new StoreError(
          "restore-refused",
          `${dataDir}: is not empty`,
          "restore into another folder, or move aside what is there with --replace",
        );
      }
      movedTo = moveAside(dataDir, nowMs());
      lock[Symbol.dispose]();
      mkdirSync(dataDir, { mode: 0o700 });
      giveToOwnerOf(movedTo, dataDir);
      lock = StoreLock.acquire(dataDir);
    }
    const logs = [join(source, BACKUP_DELETE_LOG)];
    if (movedTo !== undefined) {
      logs.push(join(movedTo, DATA_DELETE_LOG));
    }
    const folder = join(dataDir, RESTORE_FOLDER);
    mkdirSync(folder, { mode: 0o700 });
    place(source, folder, backup);
    if (movedTo !== undefined) {
      keepAccess(movedTo, folder);
    }
    const deletes = await prepareHead(folder, { source, backup, logs, startedUs, nowMs });
    giveToOwnerOf(dataDir, folder);
    syncTree(folder);
    moveUp(folder, dataDir);
    await logDeletes(dataDir);
    const doctor = await runDoctor({ dataDir, isDeep: false });
    return { dataDir, backup, deletes, movedTo, doctor };
  } finally {
    lock[Symbol.dispose]();
  }
}

/** Its files are as they were made, and this version can read them. */
function verified(source: string): BackupDescription {
  const backup = readBackup(source);
  const [first, ...more] = verifyBackup(source, backup);
  if (first !== undefined) {
    const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
    throw damagedBackup(`${source}: is damaged: ${first}${others}`);
  }
  checkVersion(join(source, "head.db"));
  return backup;
}

/** One of an older version is brought forward when it is restored. @throws StoreError `data-newer` */
function checkVersion(head: string): void {
  try {
    openHeadForReading(head).close();
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "data-older") {
      throw error;
    }
  }
}

function isEmpty(folder: string): boolean {
  return readdirSync(folder).every((name) => NOTHING.has(name));
}

function clear(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => !NOTHING.has(entry))) {
    rmSync(join(folder, name), { recursive: true });
  }
}

function moveAside(dataDir: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const aside = `${dataDir}.before-restore-${time}Z`;
  try {
    if (existsSync(aside)) {
      throw new Error(`${aside} is there already`);
    }
    renameSync(dataDir, aside);
    syncFolder(dirname(dataDir));
  } catch (cause) {
    throw new StoreError(
      "restore-refused",
      `${dataDir}: cannot be moved aside (${(cause as Error).message})`,
      "a mount point cannot be moved: move what it holds away by hand, or restore into another folder",
      { cause },
    );
  }
  return aside;
}

function place(source: string, folder: string, { files }: BackupDescription): void {
  for (const { path } of files) {
    if (path.startsWith("segments/")) {
      linkOrCopy(join(source, path), join(folder, path));
    } else {
      copyOwn(join(source, path), join(folder, path));
    }
  }
}

interface HeadOrder {
  readonly source: string;
  readonly backup: BackupDescription;
  readonly logs: readonly string[];
  readonly startedUs: number;
  readonly nowMs: () => number;
}

/** Puts deletes that were issued since in force again. Returns how many there were. */
async function prepareHead(folder: string, order: HeadOrder): Promise<number> {
  const { source, backup, logs, startedUs, nowMs } = order;
  const logged = (await Promise.all(logs.map(readDeleteLog))).flat();
  const db = openHeadForWriting(join(folder, "head.db"));
  try {
    return db
      .transaction(() => {
        const ours = logged.filter(({ storeId }) => storeId === backup.storeId);
        const deletes = applyDeletes(db, ours, nowMs() * 1000);
        db.prepare("DELETE FROM backups WHERE path = ?").run(source);
        db.prepare("INSERT INTO backups (path, taken_us, last_delete) VALUES (?, ?, ?)").run(
          source,
          backup.takenUs,
          backup.lastDelete,
        );
        recordJob(db, {
          kind: "restore",
          dueUs: startedUs,
          startedUs,
          tookMs: nowMs() - startedUs / 1000,
          outcome: { records: backup.records, files: backup.files.length, deletes },
          detail: `${source}, taken ${backup.taken}`,
        });
        return deletes;
      })
      .immediate();
  } finally {
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.close();
  }
}

/** All but the head first: where it stands, everything that it lists does. */
function moveUp(folder: string, dataDir: string): void {
  const names = readdirSync(folder).filter((name) => name !== "head.db");
  for (const name of [...names, "head.db"]) {
    renameSync(join(folder, name), join(dataDir, name));
    syncFolder(dataDir);
  }
  rmSync(folder, { recursive: true });
}

/**
 * Who was enrolled or revoked since the backup stays so, and agents go on trusting the same
 * authority: of keys and certificates those that are there now are the newer ones.
 */
function keepAccess(from: string, folder: string): void {
  for (const file of accessFiles(from)) {
    rmSync(join(folder, file), { force: true });
    copyOwn(join(from, file), join(folder, file));
  }
}

async function logDeletes(dataDir: string): Promise<void> {
  const db = openHeadForReading(join(dataDir, "head.db"));
  try {
    await syncDeleteLogs(dataDir, db);
  } finally {
    db.close();
  }
}
