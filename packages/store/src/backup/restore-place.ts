import { existsSync } from "node:fs";
import { join } from "node:path";

import { StoreError } from "../errors.ts";

/** Where a restore gathers its files, inside data_dir; its head gets its name last. */
export const RESTORE_FOLDER = ".restoring";

/** Whether a restore into this folder was broken off. */
export function isHalfRestored(dataDir: string): boolean {
  return existsSync(join(dataDir, RESTORE_FOLDER)) && !existsSync(join(dataDir, "head.db"));
}

/** A new store must not begin in the middle of a restored one. @throws StoreError `data-missing` */
export function checkNoHalfRestore(dataDir: string): void {
  if (isHalfRestored(dataDir)) {
    throw new StoreError(
      "data-missing",
      `${dataDir}: a restore into it was broken off`,
      "run `sluice restore` again: it begins anew",
    );
  }
}
