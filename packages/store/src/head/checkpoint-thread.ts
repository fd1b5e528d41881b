import { statSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";

import { isDiskFull, truncateWal } from "./head-file.ts";

/** Above this the WAL is cut back, though that holds up commits for a moment. */
const TRUNCATE_ABOVE_BYTES = 256 * 1024 * 1024;

/**
 * Folds the WAL into `head.db` off the writer's path: with SQLite's automatic checkpoints the
 * 99th percentile of a commit is 22 ms. Each message asks for one checkpoint, and is answered at its end.
 */
const port = parentPort;
if (port !== null) {
  const { path } = workerData as { path: string };
  const db = new Database(path, { timeout: 5_000 });
  db.pragma("synchronous = FULL");
  port.on("message", () => {
    const walBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    try {
      if (walBytes > TRUNCATE_ABOVE_BYTES) {
        truncateWal(db);
      } else {
        db.pragma("wal_checkpoint(PASSIVE)");
      }
    } catch (error) {
      // What could not be folded in stays in the log, where the next checkpoint finds it.
      if (!isDiskFull(error)) {
        throw error;
      }
    }
    port.postMessage("ended");
  });
}
