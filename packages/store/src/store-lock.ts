import { join } from "node:path";
import Database from "better-sqlite3";

import { giveToOwnerOf } from "./manifest/owner.ts";
import { DISK_FULL_ADVICE, StoreError } from "./errors.ts";
import { isDiskFull } from "./head/head-file.ts";

/**
 * Keeps a second collector off a data folder: an exclusive transaction on a small SQLite file,
 * held as long as the process lives. The kernel drops it with the process, so a `kill -9` leaves
 * nothing behind.
 */
export class StoreLock implements Disposable {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /** @throws StoreError `data-locked` where another process holds the folder */
  static acquire(dataDir: string): StoreLock {
    const path = join(dataDir, "lock.db");
    let db: Database.Database | undefined;
    try {
      db = new Database(path, { timeout: 0 });
      giveToOwnerOf(dataDir, path);
      db.exec("CREATE TABLE IF NOT EXISTS holder (pid INTEGER) STRICT");
      db.prepare("DELETE FROM holder").run();
      db.prepare("INSERT INTO holder VALUES (?)").run(process.pid);
      db.pragma("locking_mode = EXCLUSIVE");
      db.exec("BEGIN EXCLUSIVE");
      return new StoreLock(db);
    } catch (error) {
      db?.close();
      if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
        throw new StoreError(
          "data-locked",
          `another collector is using ${dataDir}`,
          "stop it first, or give this one a data_dir of its own",
          { cause: error },
        );
      }
      if (error instanceof Database.SqliteError) {
        throw new StoreError(
          isDiskFull(error) ? "disk-full" : "data-unwritable",
          `${path}: ${error.message}`,
          isDiskFull(error) ? DISK_FULL_ADVICE : "the collector's user needs to write in data_dir",
          { cause: error },
        );
      }
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
