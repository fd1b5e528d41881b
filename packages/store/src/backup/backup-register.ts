import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { HeadDatabase } from "../head/head-file.ts";
import { BACKUP_FILE, type BackupDescription } from "./backup-layout.ts";

/** A backup that is about to be made. */
export interface BackupPlace {
  /** Absolute; what it is called once it is whole. */
  readonly path: string;
  /** Where it lies until then: ends in the backup's id. */
  readonly partial: string;
  readonly takenUs: number;
}

/** So many are told of deletes: a backup an hour for half a year. */
const MOST_BACKUPS = 4096;

/**
 * The head's memory of its backups: deletes are told to those that are whole, and what a crash left of
 * one is removed at the next start.
 */
export class BackupRegister {
  readonly #db: HeadDatabase;

  constructor(db: HeadDatabase) {
    this.#db = db;
  }

  /** Returns its id. */
  begin({ path, partial, takenUs }: BackupPlace): number {
    const insert = this.#db.prepare(
      "INSERT INTO backups (path, partial, taken_us, last_delete) VALUES (?, ?, ?, 0)",
    );
    return Number(insert.run(path, partial, takenUs).lastInsertRowid);
  }

  /** It is whole. @param lastDelete the highest id of a delete that it knows by itself */
  finish(id: number, lastDelete: number): void {
    this.#db
      .transaction(() => {
        this.#db
          .prepare(
            "DELETE FROM backups WHERE path = (SELECT path FROM backups WHERE id = :id) AND id <> :id AND partial IS NULL",
          )
          .run({ id });
        this.#db
          .prepare("UPDATE backups SET partial = NULL, last_delete = ? WHERE id = ?")
          .run(lastDelete, id);
        this.#db
          .prepare("DELETE FROM backups WHERE id <= (SELECT max(id) FROM backups) - ?")
          .run(MOST_BACKUPS);
      })
      .immediate();
  }

  /** Nothing came of it. */
  drop(id: number): void {
    this.#db.prepare("DELETE FROM backups WHERE id = ?").run(id);
  }

  /** Settles what a crash left: a backup that got its name is whole, what is left of another is removed. */
  recover(): void {
    const rows = this.#db
      .prepare("SELECT id, path, partial FROM backups WHERE partial IS NOT NULL")
      .all() as { id: number; path: string; partial: string }[];
    for (const { id, path, partial } of rows) {
      const lastDelete = wholeBackup(path, partial);
      if (lastDelete === undefined) {
        rmSync(partial, { recursive: true, force: true });
        this.drop(id);
      } else {
        this.finish(id, lastDelete);
      }
    }
  }
}

/**
 * The last delete that the backup knows; undefined where another one, or none, lies at its path. Its description
 * is written last: where it names this backup, there is nothing more to check.
 */
function wholeBackup(path: string, partial: string): number | undefined {
  try {
    const { id, lastDelete } = JSON.parse(readFileSync(join(path, BACKUP_FILE), "utf8")) as {
      readonly [key in keyof BackupDescription]?: unknown;
    };
    const isThis = typeof id === "string" && id !== "" && partial.endsWith(id);
    return isThis && typeof lastDelete === "number" ? lastDelete : undefined;
  } catch {
    return undefined;
  }
}
