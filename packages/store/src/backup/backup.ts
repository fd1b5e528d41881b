import { randomUUID } from "node:crypto";
import { readdir, realpath, rm } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";

import { fromFailure, StoreError } from "../errors.ts";
import { startThread } from "../thread.ts";
import type { BackupOrder, MadeBackup } from "./backup-maker.ts";
import type { BackupPlace } from "./backup-register.ts";
import type { BackupReply } from "./backup-thread.ts";

/** What became of a backup. */
export interface BackupResult {
  /** Where it lies, absolute. */
  readonly path: string;
  readonly storeId: string;
  readonly takenUs: number;
  readonly records: number;
  readonly segments: number;
  /** Of all its files. */
  readonly bytes: number;
  /** Of these, in files that it shares with the store. */
  readonly linkedBytes: number;
  /** Segments that the store has lost, and that the backup lacks as well. */
  readonly missing: readonly string[];
  readonly tookMs: number;
}

/** The writer, as far as it keeps the list of backups. */
interface BackupWriter {
  beginBackup(place: BackupPlace): Promise<number>;
  endBackup(backup: number, lastDelete: number | undefined): Promise<void>;
}

/**
 * Makes a backup of an open store, in a thread of its own.
 *
 * @param path absolute; absent, or an empty folder, and not inside the data folder
 * @param signal the store is being closed: nothing of the backup is kept
 * @throws StoreError `backup-failed`
 */
export async function backUp(
  dataDir: string,
  path: string,
  writer: BackupWriter,
  signal: AbortSignal,
): Promise<BackupResult> {
  await checkTarget(dataDir, path);
  signal.throwIfAborted();
  const startedMs = performance.now();
  const id = randomUUID();
  const takenUs = Date.now() * 1000;
  const partial = join(dirname(path), `${basename(path)}.partial-${id}`);
  const backup = await writer.beginBackup({ path, partial, takenUs });
  let made: MadeBackup | undefined;
  try {
    made = await runThread({ dataDir, path, partial, id, takenUs }, signal);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    await writer.endBackup(backup, made?.description.lastDelete);
  }
  const { files, missing, storeId, records } = made.description;
  return {
    path,
    storeId,
    takenUs,
    records,
    segments: files.filter((file) => file.path.startsWith("segments/")).length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    linkedBytes: made.linkedBytes,
    missing,
    tookMs: Math.round(performance.now() - startedMs),
  };
}

async function checkTarget(dataDir: string, path: string): Promise<void> {
  if (!isAbsolute(path)) {
    throw refused(`${path}: not an absolute path`, "name the folder from the root on");
  }
  const below = relative(await realpath(dataDir), await realTarget(path));
  if (below === "" || (!below.startsWith("..") && !isAbsolute(below))) {
    throw refused(
      `${path}: lies inside the data folder ${dataDir}`,
      "back up to another place, best to another disk",
    );
  }
  let entries: string[];
  try {
    entries = await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return;
    }
    throw refused(`${path}: ${(error as Error).message}`, "name a folder that is absent or empty");
  }
  if (entries.length > 0) {
    throw refused(`${path}: is not empty`, "name a new folder for each backup");
  }
}

/** The path with its links followed as far as it exists. */
async function realTarget(path: string): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch (error) {
    const parent = dirname(whole);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === whole) {
      return whole;
    }
    return join(await realTarget(parent), basename(whole));
  }
}

function runThread(order: BackupOrder, signal: AbortSignal): Promise<MadeBackup> {
  const worker = startThread("./backup-thread", import.meta.url, "sluice-backup", order);
  return new Promise((done, failed) => {
    worker.once("message", (reply: BackupReply) => {
      if (reply.kind === "made") {
        done(reply.made);
      } else {
        failed(fromFailure(reply.failure));
      }
    });
    worker.once("error", failed);
    signal.addEventListener("abort", () => void worker.terminate(), { once: true });
    worker.once("exit", () => failed(refused("the backup's thread ended", "try it again")));
  });
}

function refused(message: string, advice: string): StoreError {
  return new StoreError("backup-failed", message, advice);
}
