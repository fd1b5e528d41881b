import { join } from "node:path";
import type { StoreReader } from "@sluice/store";

import { fileBytes, readVolume } from "../retention/inventory.ts";
import { Ballast, missingBallast } from "./ballast.ts";

/** How things stand on the volume of data_dir; all bytes. */
export interface VolumeState {
  /** What the operating system says. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** `freeBytes` less what the next checkpoint takes and what the ballast lacks; may be negative. */
  readonly roomBytes: number;
  readonly walBytes: number;
  /** What head.db grows by when its log is folded in. */
  readonly foldBytes: number;
  readonly missingBallastBytes: number;
}

/** Measures the volume for the guard: a few system calls, and one page of head.db. */
export async function readVolumeState(
  dataDir: string,
  reader: Pick<StoreReader, "headBytes">,
): Promise<VolumeState> {
  const headPath = join(dataDir, "head.db");
  const { freeBytes, totalBytes } = await readVolume(dataDir);
  const [walBytes, headFileBytes, missingBallastBytes] = await Promise.all([
    fileBytes(`${headPath}-wal`),
    fileBytes(headPath),
    missingBallast(dataDir, totalBytes),
  ]);
  // A full log cannot be cut before its pages have found their place in head.db.
  const foldBytes = Math.max(0, reader.headBytes - headFileBytes);
  const roomBytes = freeBytes - foldBytes - missingBallastBytes;
  return { freeBytes, totalBytes, roomBytes, walBytes, foldBytes, missingBallastBytes };
}

/** Below this share of a volume, or this much, the store may not even be opened: SQLite writes then. */
const START_SHARE = 1 / 50;
const START_BYTES = 8 * 1024 * 1024;

/**
 * Before the store of a full volume is opened: its ballast is what makes that possible.
 *
 * @returns the bytes that were released
 */
export async function makeRoomToOpen(dataDir: string): Promise<number> {
  const ballast = new Ballast(dataDir);
  if ((await ballast.bytes()) === 0) {
    return 0;
  }
  const { freeBytes, totalBytes } = await readVolume(dataDir);
  return freeBytes < Math.min(START_BYTES, totalBytes * START_SHARE) ? await ballast.release() : 0;
}
