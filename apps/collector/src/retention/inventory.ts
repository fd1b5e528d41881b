import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { timeUs } from "@sluice/quantity";
import type { TimeUs } from "@sluice/quantity";
import type { Inventory, RetentionPolicy, Volume } from "@sluice/retention";
import { BALLAST_NAME, type StoreReader } from "@sluice/store";

import { missingBallast } from "../guard/ballast.ts";
import { StoredPlaces } from "./stored-places.ts";

/** What retention asks of the store. */
export type InventoryReader = Pick<StoreReader, "parts" | "returnableBytes" | "streams">;

/** What is stored, and where the units of it lie. */
export interface StoredInventory extends Inventory {
  readonly places: StoredPlaces;
}

/**
 * Describes what is stored for the planner: its units, and everything under `dataDir` but the head's
 * write-ahead log. That log holds pages a second time and keeps its length when they have been folded
 * into the head; to count it would drop records for bytes that the next checkpoint returns. What only
 * the log holds yet is counted by its batches. What was removed and is still read, and free pages of
 * the head, take no place in it: each prune returns them, and to count them would drop others instead.
 */
export async function takeInventory(
  reader: InventoryReader,
  dataDir: string,
  policy: RetentionPolicy,
): Promise<StoredInventory> {
  // Before the disk is looked at: what comes back in between makes a plan drop less, not more.
  const { returnableBytes } = reader;
  const parts = reader.parts();
  // After the parts: a stream that has begun meanwhile is listed, and none is missing.
  const places = new StoredPlaces(parts, reader.streams(), policy);
  const headPath = join(dataDir, "head.db");
  const [diskBytes, headBytes, walBytes, volume] = await Promise.all([
    folderBytes(dataDir),
    fileBytes(headPath),
    fileBytes(`${headPath}-wal`),
    readVolume(dataDir),
  ]);
  const missingBytes = await missingBallast(dataDir, volume.totalBytes);
  const batchBytes = parts.reduce(
    (sum, { place, bytes }) => sum + (place.kind === "batch" ? bytes : 0),
    0,
  );
  const onlyInWalBytes = Math.max(0, batchBytes - headBytes);
  return {
    units: places.units,
    places,
    totalBytes: Math.max(0, diskBytes - walBytes + onlyInWalBytes - returnableBytes),
    // Room that the ballast will take is not free: else a ballast that was spent never came back.
    volume: {
      ...volume,
      freeBytes: Math.max(0, volume.freeBytes + returnableBytes - missingBytes),
    },
  };
}

/** The newest receipt of all streams, pruned records included; undefined where there is none. */
export function lastReceiptUs(reader: Pick<StoreReader, "streams">): TimeUs | undefined {
  const times = reader.streams().map(({ lastReceivedUs = 0 }) => lastReceivedUs);
  const lastUs = times.reduce((latest, us) => Math.max(latest, us), 0);
  return lastUs === 0 ? undefined : timeUs(lastUs);
}

/** Bytes of every file under a data folder but the ballast. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile() && entry.name !== BALLAST_NAME)
      .map(({ parentPath, name }) => fileBytes(join(parentPath, name))),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes of a file; 0 where there is none. */
export async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return 0;
    }
    throw error;
  }
}

/** The volume under a folder; `freeBytes` is what a process without privileges may still take. */
export async function readVolume(dataDir: string): Promise<Volume> {
  const { bavail, blocks, bsize } = await statfs(dataDir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
