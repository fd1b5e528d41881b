import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { StoreError } from "./errors.ts";
import { syncFolder } from "./manifest/segment-folder.ts";

/**
 * Makes a data folder, and makes its name outlive a power loss.
 *
 * @throws StoreError `data-unwritable`
 */
export async function makeDataDir(dataDir: string): Promise<void> {
  try {
    const first = await mkdir(dataDir, { recursive: true, mode: 0o700 });
    makeNameLast(dataDir, first);
  } catch (error) {
    throw new StoreError(
      "data-unwritable",
      `cannot create data_dir ${dataDir}: ${(error as Error).message}`,
      "create it for the collector's user, or set data_dir to a folder it may write",
      { cause: error },
    );
  }
}

/**
 * Without this a new data_dir may be gone after a power loss, with all that was synced in it.
 *
 * @param first the topmost folder that was made for it; undefined where it was there: then whoever made
 *   it may have been killed before it was synced
 */
function makeNameLast(dataDir: string, first: string | undefined): void {
  const top = first === undefined ? resolve(dataDir) : resolve(first);
  for (let made = resolve(dataDir); ; made = dirname(made)) {
    try {
      syncFolder(dirname(made));
    } catch (error) {
      // A folder that only others may read is theirs to sync.
      if ((error as NodeJS.ErrnoException).code !== "EACCES") {
        throw error;
      }
    }
    if (made === top) {
      return;
    }
  }
}
