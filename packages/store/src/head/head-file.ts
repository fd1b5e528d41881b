import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import Database from "better-sqlite3";

import { DISK_FULL_ADVICE, StoreError } from "../errors.ts";
import { migrate } from "./migration.ts";
import {
  HEAD_APPLICATION_ID,
  HEAD_PAGE_BYTES,
  HEAD_SCHEMA,
  HEAD_SCHEMA_VERSION,
} from "./schema.ts";

export type HeadDatabase = Database.Database;

/** How long a statement waits for another process (a direct reader, a backup) to let go. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Pages that a connection keeps, in KiB; better-sqlite3 is built with 16,000. Payloads are most of the file, each
 * is read once, and the system's page cache has them.
 */
const CACHE_KIB = 2_048;

/** How long a truncating checkpoint waits for readers: no commit gets through meanwhile. */
const TRUNCATE_WAIT_MS = 50;

/**
 * Opens `head.db` for writing, creating it where it is absent.
 *
 * better-sqlite3 is compiled with DEFAULT_WAL_SYNCHRONOUS=1, so a WAL commit is not fsynced unless
 * `synchronous=FULL` is set on this very connection.
 *
 * @throws StoreError `data-newer`, `data-foreign`, `data-corrupt`
 */
export function openHeadForWriting(path: string): HeadDatabase {
  return guarded(path, () => {
    const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      const isNew = isEmpty(db);
      if (isNew) {
        db.pragma(`page_size = ${HEAD_PAGE_BYTES}`);
        db.pragma("auto_vacuum = INCREMENTAL");
      } else {
        // Before anything else: each of the settings below is already a change of the file.
        migrate(db, checkVersion(db, path));
        checkTables(db, path);
      }
      const mode: unknown = db.pragma("journal_mode = WAL", { simple: true });
      if (mode !== "wal") {
        throw new StoreError(
          "data-unwritable",
          `${path}: the file system does not support SQLite's WAL mode (journal_mode is ${String(mode)})`,
          "put data_dir on a local file system; network shares cannot hold it",
        );
      }
      db.pragma("synchronous = FULL");
      db.pragma(`cache_size = -${CACHE_KIB}`);
      db.pragma("wal_autocheckpoint = 0");
      // What goes from a page is overwritten when the page is written anyway; see DeleteIssuer for the rest.
      db.pragma("secure_delete = FAST");
      if (process.platform === "darwin") {
        db.pragma("fullfsync = ON");
        db.pragma("checkpoint_fullfsync = ON");
      }
      db.defaultSafeIntegers(false);
      if (isNew) {
        create(db);
      }
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/**
 * Opens `head.db` for reading beside a running collector.
 *
 * @throws StoreError `data-missing`, `data-newer`, `data-older`, `data-foreign`, `data-corrupt`, `data-unwritable`
 */
export function openHeadForReading(path: string): HeadDatabase {
  if (!isThere(path)) {
    throw new StoreError(
      "data-missing",
      `${path}: there is no collected data here`,
      "check data_dir; `sluice serve` creates it at its first start",
    );
  }
  return guarded(path, () => {
    const db = new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
    try {
      db.pragma(`cache_size = -${CACHE_KIB}`);
      isEmpty(db); // Reads the list of tables, so that damage to it shows here.
      if (checkVersion(db, path) < HEAD_SCHEMA_VERSION) {
        throw new StoreError(
          "data-older",
          `${path}: written by an older Sluice, and not yet brought forward`,
          "start `sluice serve` on it once; nothing was changed",
        );
      }
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** @throws StoreError where that cannot be seen: a folder of another user's may well hold data */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    throw new StoreError(
      "data-unwritable",
      `${path}: cannot be opened (${(cause as Error).message})`,
      "run as the owner of the data folder, or ask a running collector with --collector",
      { cause },
    );
  }
}

/**
 * Folds the WAL into the database file and cuts it. Commits wait while this does, so it waits for
 * readers only briefly: what one of them still needs stays in the WAL until the next time. False then.
 */
export function truncateWal(db: HeadDatabase): boolean {
  db.pragma(`busy_timeout = ${TRUNCATE_WAIT_MS}`);
  try {
    const [result] = db.pragma("wal_checkpoint(TRUNCATE)") as { readonly busy: number }[];
    return result?.busy === 0;
  } finally {
    db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  }
}

function isEmpty(db: HeadDatabase): boolean {
  return db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
}

function create(db: HeadDatabase): void {
  db.transaction(() => {
    db.exec(HEAD_SCHEMA);
    db.prepare("INSERT INTO meta (key, value) VALUES ('store_id', ?)").run(randomUUID());
    db.pragma(`application_id = ${HEAD_APPLICATION_ID}`);
    db.pragma(`user_version = ${HEAD_SCHEMA_VERSION}`);
  })();
}

/** The version of its shape. */
function checkVersion(db: HeadDatabase, path: string): number {
  const applicationId = db.pragma("application_id", { simple: true });
  if (applicationId !== HEAD_APPLICATION_ID) {
    throw new StoreError(
      "data-foreign",
      `${path}: this is an SQLite database, but not Sluice's`,
      "point data_dir at a folder of its own",
    );
  }
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > HEAD_SCHEMA_VERSION) {
    throw new StoreError(
      "data-newer",
      `${path}: written by a newer Sluice (data version ${version}; this one reads up to ${HEAD_SCHEMA_VERSION})`,
      "install that version again, or restore a backup made with this one; nothing was changed",
    );
  }
  return version;
}

const SMALL_TABLES = [
  "meta",
  "agents",
  "streams",
  "gaps",
  "jobs",
  "segments",
  "segment_streams",
  "batch_removals",
  "announced_segments",
  "deletes",
  "backups",
] as const;

/**
 * Looks for damage before anything is added to it. The small tables are checked in full, of the
 * batches only the pages that every search reads: damage inside a payload costs that batch alone.
 */
function checkTables(db: HeadDatabase, path: string): void {
  for (const table of SMALL_TABLES) {
    const finding = db.pragma(`quick_check(${table})`, { simple: true });
    if (finding !== "ok") {
      throw damagedHead(path, `table ${table}: ${String(finding)}`);
    }
  }
  db.prepare("SELECT count(*), max(received_us) FROM batches").get();
}

export function damagedHead(path: string, detail: string, cause?: unknown): StoreError {
  return new StoreError(
    "data-corrupt",
    `${path}: the database is damaged (${detail})`,
    "keep the file; `sluice doctor` says what is wrong; then `sluice restore` a backup, or have it made again with `sluice doctor --rebuild`",
    { cause },
  );
}

export function isCorruption(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    (error.code === "SQLITE_NOTADB" || error.code.startsWith("SQLITE_CORRUPT"))
  );
}

/** Turns SQLite's own complaints at opening into errors that say what to do. */
function guarded<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw describeSqliteError(error, path);
  }
}

/**
 * Whether SQLite had no room. Also where its shared-memory index could not grow, which happens
 * behind the log's own write: nobody was told of that commit, and the next one overwrites it.
 */
export function isDiskFull(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    (error.code === "SQLITE_FULL" || error.code === "SQLITE_IOERR_SHMSIZE")
  );
}

export function describeSqliteError(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError)) {
    return error;
  }
  const cause = { cause: error };
  if (isCorruption(error)) {
    return damagedHead(path, error.message, error);
  }
  if (isDiskFull(error)) {
    return new StoreError("disk-full", `${path}: ${error.message}`, DISK_FULL_ADVICE, cause);
  }
  if (error.code === "SQLITE_CANTOPEN" || error.code.startsWith("SQLITE_READONLY")) {
    return new StoreError(
      "data-unwritable",
      `${path}: cannot be opened (${error.message})`,
      "reading a data folder directly needs write permission on it (SQLite's WAL index); run as its owner, or ask a running collector with --collector",
      cause,
    );
  }
  return error;
}
