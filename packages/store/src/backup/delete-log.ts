import { open, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";

import { StoreError } from "../errors.ts";
import type { HeadDatabase } from "../head/head-file.ts";
import { syncFolder } from "../manifest/segment-folder.ts";

/** A delete as it is written down outside of the head: one line of JSON. */
export interface LoggedDelete {
  readonly storeId: string;
  /** In the query language, a filter without stages. */
  readonly query: string;
  /** Event times in microseconds since the epoch: inclusive, and exclusive. */
  readonly fromUs: number | null;
  readonly untilUs: number | null;
  /** What was received up to then went. */
  readonly receivedUs: number;
  readonly issuedUs: number;
}

const LOGGED_DELETE: z.ZodType<LoggedDelete> = z.strictObject({
  storeId: z.string(),
  query: z.string(),
  fromUs: z.int().nullable(),
  untilUs: z.int().nullable(),
  receivedUs: z.int(),
  issuedUs: z.int(),
});

/** Every delete of a data folder, for the day on which its head is lost. */
export const DATA_DELETE_LOG = "deletes.jsonl";

/** The deletes that were issued after a backup was made. */
export const BACKUP_DELETE_LOG = "DELETES.jsonl";

/** A log that could not be brought up to date; it is tried again with the next delete and at each start. */
export interface UnwrittenLog {
  readonly path: string;
  readonly cause: Error;
}

/**
 * The log's lines; none where it is absent. A last line without its end was never synced, and does not count.
 *
 * @throws StoreError `backup-damaged`
 */
export async function readDeleteLog(path: string): Promise<LoggedDelete[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return [];
    }
    throw error;
  }
  const lines = text.split("\n").slice(0, -1);
  return lines
    .filter((line) => line !== "")
    .map((line, index) => {
      const parsed = LOGGED_DELETE.safeParse(parseJson(line));
      if (!parsed.success) {
        throw new StoreError(
          "backup-damaged",
          `${path}:${index + 1}: this is not a delete`,
          "each line is one delete: mend it, or remove it and delete those records again",
        );
      }
      return parsed.data;
    });
}

/**
 * Brings the logs of the data folder and of its backups up to date with the head, which is their truth:
 * whatever they lack is appended and synced. A backup that is gone, or not mounted at the moment, is
 * passed over.
 *
 * @param db the head, for reading
 */
export async function syncDeleteLogs(dataDir: string, db: HeadDatabase): Promise<UnwrittenLog[]> {
  const deletes = loggedDeletes(db);
  if (deletes.length === 0) {
    return [];
  }
  const logs = [{ path: join(dataDir, DATA_DELETE_LOG), lastDelete: 0 }];
  const backups = db
    .prepare("SELECT path, last_delete AS lastDelete FROM backups WHERE partial IS NULL")
    .all() as { path: string; lastDelete: number }[];
  for (const { path, lastDelete } of backups) {
    if (await isFolder(path)) {
      logs.push({ path: join(path, BACKUP_DELETE_LOG), lastDelete });
    }
  }
  const unwritten: UnwrittenLog[] = [];
  for (const { path, lastDelete } of logs) {
    try {
      await appendMissing(
        path,
        deletes.filter(({ id }) => id > lastDelete),
      );
    } catch (cause) {
      unwritten.push({ path, cause: cause as Error });
    }
  }
  return unwritten;
}

interface IdentifiedLine {
  readonly id: number;
  readonly line: string;
}

function loggedDeletes(db: HeadDatabase): IdentifiedLine[] {
  const rows = db
    .prepare(
      `SELECT id, (SELECT value FROM meta WHERE key = 'store_id') AS storeId, query, from_us AS fromUs,
         until_us AS untilUs, received_us AS receivedUs, issued_us AS issuedUs
       FROM deletes WHERE is_replay = 0 ORDER BY id`,
    )
    .all() as ({ id: number } & LoggedDelete)[];
  return rows.map(({ id, ...one }) => ({ id, line: JSON.stringify(one) }));
}

/** A line stands for itself: ids come again where an older head was restored. */
async function appendMissing(path: string, deletes: readonly IdentifiedLine[]): Promise<void> {
  if (deletes.length === 0) {
    return;
  }
  await using file = await open(path, "a+", 0o600);
  const bytes = await file.readFile();
  const lines = bytes.toString("utf8").split("\n");
  const known = new Set(lines.slice(0, -1));
  const missing = deletes.filter(({ line }) => !known.has(line));
  if (missing.length > 0) {
    // What a crash left of a line goes.
    await file.truncate(bytes.lastIndexOf("\n") + 1);
    await file.appendFile(missing.map(({ line }) => `${line}\n`).join(""));
    await file.sync();
    syncFolder(dirname(path));
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
