import { chmodSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";

import { openHeadForReading } from "../head/head-file.ts";
import { HeldVersion } from "../manifest/held-version.ts";
import { manifestVersion } from "../manifest/manifest.ts";
import { giveToOwnerOf } from "../manifest/owner.ts";
import { syncFile, syncFolder } from "../manifest/segment-folder.ts";
import { digestFile } from "./backup-file.ts";
import {
  BACKUP_FILE,
  BACKUP_FORMAT,
  type BackupDescription,
  type BackupEntry,
} from "./backup-layout.ts";
import { BACKUP_DELETE_LOG } from "./delete-log.ts";
import { copyOwn, linkOrCopy, syncTree, accessFiles } from "./file-placement.ts";

export interface BackupOrder {
  readonly dataDir: string;
  /** Absolute; absent, or an empty folder. */
  readonly path: string;
  /** Beside it: what becomes it when all of it is there. Ends in the id. */
  readonly partial: string;
  readonly id: string;
  readonly takenUs: number;
}

export interface MadeBackup {
  readonly description: BackupDescription;
  /** Segments that are second names of the store's own files, and take no room of their own yet. */
  readonly linked: number;
  readonly linkedBytes: number;
}

/** What the copied head says of what was copied. */
interface CopiedHead {
  readonly storeId: string;
  readonly manifestVersion: number;
  readonly lastDelete: number;
  readonly records: number;
  readonly segments: readonly string[];
}

/**
 * Copies a data folder as it is at one moment, while its collector goes on. The head is copied by
 * `VACUUM INTO`, which reads one snapshot however much is written meanwhile (`backup()` of SQLite
 * begins again with each write); what it lists of segments is linked or copied after it, and held in
 * place by a lease until then. A data folder again, with a list of its files.
 *
 * Blocks: for a thread of its own.
 */
export function makeBackup(order: BackupOrder, nowMs: () => number): MadeBackup {
  const { dataDir, partial, path } = order;
  mkdirSync(partial, { recursive: true, mode: 0o700 });
  try {
    const made = fillBackup(order, nowMs);
    giveToOwnerOf(dataDir, partial);
    syncTree(partial);
    renameSync(partial, path);
    syncFolder(dirname(path));
    return made;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }

  function fillBackup({ id, takenUs }: BackupOrder, now: () => number): MadeBackup {
    const head = join(partial, "head.db");
    using db = disposable(openHeadForReading(join(dataDir, "head.db")));
    using held = new HeldVersion(dataDir, manifestVersion(db.value), now());
    db.value.prepare("VACUUM INTO ?").run(head);
    const { segments, ...facts } = tidyHead(head);
    const files = [entryOf("head.db")];
    const missing: string[] = [];
    let [linked, linkedBytes] = [0, 0];
    for (const segment of segments) {
      held.renew(now());
      const isLink = placeSegment(segment);
      if (isLink === undefined) {
        missing.push(segment);
        continue;
      }
      const entry = entryOf(segment);
      files.push(entry);
      if (isLink) {
        linked += 1;
        linkedBytes += entry.bytes;
      }
    }
    for (const file of accessFiles(dataDir)) {
      copyOwn(join(dataDir, file), join(partial, file));
      files.push(entryOf(file));
    }
    writeOwn(BACKUP_DELETE_LOG, "");
    const description: BackupDescription = {
      format: BACKUP_FORMAT,
      id,
      taken: new Date(takenUs / 1000).toISOString(),
      takenUs,
      ...facts,
      files,
      missing,
    };
    writeOwn(BACKUP_FILE, `${JSON.stringify(description, undefined, 1)}\n`);
    return { description, linked, linkedBytes };
  }

  function placeSegment(segment: string): boolean | undefined {
    try {
      return linkOrCopy(join(dataDir, segment), join(partial, segment));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        return undefined; // Lost before, which is no reason to go without a backup of the rest.
      }
      throw error;
    }
  }

  function entryOf(file: string): BackupEntry {
    const place = join(partial, file);
    return { path: file, bytes: statSync(place).size, sha256: digestFile(place) };
  }

  function writeOwn(file: string, text: string): void {
    writeFileSync(join(partial, file), text, { mode: 0o600 });
    syncFile(join(partial, file));
  }
}

/**
 * Takes out of a copied head what was true of its folder alone: a file that a job had announced may by
 * now be all that is left of what it was made of.
 */
function tidyHead(path: string): CopiedHead {
  using db = disposable(new Database(path));
  chmodSync(path, 0o600);
  db.value.exec(`DELETE FROM announced_segments; DELETE FROM backups WHERE partial IS NOT NULL`);
  const one = (sql: string): unknown => db.value.prepare(sql).pluck().get();
  const facts = {
    storeId: one("SELECT value FROM meta WHERE key = 'store_id'") as string,
    manifestVersion: manifestVersion(db.value),
    lastDelete: Number(one("SELECT max(id) FROM deletes") ?? 0),
    records: Number(
      one(`SELECT (SELECT coalesce(sum(count), 0) FROM live_batches) +
        (SELECT coalesce(sum(records), 0) FROM segments WHERE removed IS NULL)`),
    ),
    segments: db.value
      .prepare("SELECT path FROM segments WHERE removed IS NULL ORDER BY id")
      .pluck()
      .all() as string[],
  };
  db[Symbol.dispose]();
  syncFile(path);
  return facts;
}

function disposable(value: Database.Database): Disposable & { value: Database.Database } {
  return { value, [Symbol.dispose]: () => void value.close() };
}
