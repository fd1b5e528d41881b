import { parentPort, workerData } from "node:worker_threads";

import { describeSqliteError } from "../head/head-file.ts";
import { StoreError, type StoreFailure, toFailure } from "../errors.ts";
import { type BackupOrder, type MadeBackup, makeBackup } from "./backup-maker.ts";

export type BackupReply =
  | { readonly kind: "made"; readonly made: MadeBackup }
  | { readonly kind: "failed"; readonly failure: StoreFailure };

const port = parentPort;
if (port !== null) {
  const order = workerData as BackupOrder;
  const reply = (message: BackupReply): void => port.postMessage(message);
  try {
    reply({ kind: "made", made: makeBackup(order, Date.now) });
  } catch (error) {
    const described = describeSqliteError(error, order.path);
    const failure =
      described instanceof StoreError
        ? described
        : new StoreError(
            "backup-failed",
            `${order.path}: the backup failed: ${(described as Error).message}`,
            "see that the folder's volume has room and that the collector's user may write there; nothing of it was kept",
          );
    reply({ kind: "failed", failure: toFailure(failure) });
  }
}
