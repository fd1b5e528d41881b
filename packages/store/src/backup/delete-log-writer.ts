import { join } from "node:path";

import { StoreError } from "../errors.ts";
import { openHeadForReading } from "../head/head-file.ts";
import type { StoreNotice } from "../store-events.ts";
import { syncDeleteLogs, type UnwrittenLog } from "./delete-log.ts";

/** Keeps the logs of deletes, in the data folder and in its backups, up to date with the head of an open store. */
export class DeleteLogWriter {
  readonly #dataDir: string;
  readonly #noticed: (notice: StoreNotice) => void;
  #writing: Promise<void> = Promise.resolve();

  constructor(dataDir: string, noticed: (notice: StoreNotice) => void) {
    this.#dataDir = dataDir;
    this.#noticed = noticed;
  }

  /** One after the other: two that append to one log at once would both find it lacking. Never rejects. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        for (const { path, cause } of await this.#sync()) {
          this.#noticed({ kind: "delete-log-failed", path, error: cause });
        }
      } catch (cause) {
        const message = `the logs of deletes could not be written: ${(cause as Error).message}`;
        const advice = "it is tried again with the next delete";
        const error = new StoreError("maintenance-failed", message, advice, { cause });
        this.#noticed({ kind: "maintenance-failed", error });
      }
    });
    return this.#writing;
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #sync(): Promise<UnwrittenLog[]> {
    const db = openHeadForReading(join(this.#dataDir, "head.db"));
    try {
      return await syncDeleteLogs(this.#dataDir, db);
    } finally {
      db.close();
    }
  }
}
