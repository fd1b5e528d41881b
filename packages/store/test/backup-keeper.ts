import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { expect } from "vitest";

import { makeBackup } from "../src/backup/backup-maker.ts";
import { BackupRegister } from "../src/backup/backup-register.ts";
import { syncDeleteLogs } from "../src/backup/delete-log.ts";
import { restoreBackup } from "../src/backup/restore.ts";
import { Folder } from "./folder.ts";
import type { LogState, StoredLog } from "./stored-log.ts";

interface KeptBackup<T> {
  readonly path: string;
  readonly state: LogState;
  /** What else the test has to remember of that moment. */
  readonly memory: T;
}

/** Makes backups of a log and goes back to them, in the thread of the test. */
export class BackupKeeper<T> implements Disposable {
  readonly #log: StoredLog;
  readonly #folder = Folder.inMemory();
  readonly #backups: KeptBackup<T>[] = [];
  /** Each time a second later: what is moved aside is named after it. */
  #nowMs = Date.parse("2026-11-26T00:00:00Z");

  constructor(log: StoredLog) {
    this.#log = log;
  }

  /** Forgets them all. */
  clear(): void {
    this.#backups.splice(0).forEach(({ path }) => rmSync(path, { recursive: true }));
    rmSync(`${this.#log.dataDir}/deletes.jsonl`, { force: true });
  }

  make(memory: T): void {
    const { dataDir, db } = this.#log;
    const register = new BackupRegister(db);
    const id = randomUUID();
    const path = this.#folder.at(id);
    const partial = `${path}.partial-${id}`;
    const takenUs = this.#now() * 1000;
    const backup = register.begin({ path, partial, takenUs });
    const made = makeBackup({ dataDir, path, partial, id, takenUs }, () => this.#now());
    register.finish(backup, made.description.lastDelete);
    this.#backups.push({ path, state: this.#log.state(), memory });
  }

  /** Goes back to one of them and returns what was to be remembered of it; undefined where there is none. */
  async restore(pick: number): Promise<T | undefined> {
    const backup = this.#backups[pick % (this.#backups.length || 1)];
    if (backup === undefined) {
      return undefined;
    }
    const { dataDir, db } = this.#log;
    expect(await syncDeleteLogs(dataDir, db)).toEqual([]);
    await this.#log.replace(backup.state, async () => {
      const order = { backup: backup.path, dataDir, replace: true };
      const { movedTo, doctor } = await restoreBackup(order, () => this.#now());
      expect(doctor).toMatchObject({ problems: 0 });
      rmSync(movedTo as string, { recursive: true });
    });
    return backup.memory;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #now(): number {
    return (this.#nowMs += 1000);
  }
}
