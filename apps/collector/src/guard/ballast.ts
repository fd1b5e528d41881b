import { randomFill } from "node:crypto";
import { open, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BALLAST_NAME } from "@sluice/store";

const MiB = 1024 * 1024;

/** Room for the hellos, resets and prunes of a full volume. */
const MOST_BYTES = 128 * MiB;

/** A small volume is for logs. */
const MOST_OF_VOLUME = 1 / 20;

/** Laid in one go: its fsync holds up a commit behind it only briefly. */
const SLICE_BYTES = 8 * MiB;

const fill = promisify<Uint8Array, Uint8Array>(randomFill);

/** How large the ballast of a volume should be, in bytes. */
export function ballastBytesFor(totalBytes: number): number {
  return Math.floor(Math.min(MOST_BYTES, totalBytes * MOST_OF_VOLUME));
}

/** What the ballast under `dataDir` lacks, in bytes: room that is spoken for. */
export async function missingBallast(dataDir: string, totalBytes: number): Promise<number> {
  return Math.max(0, ballastBytesFor(totalBytes) - (await new Ballast(dataDir).bytes()));
}

/**
 * A file that holds room for the moment when there is none. It is filled with random bytes: a
 * sparse file holds nothing, and zeros take no room on a file system that compresses.
 */
export class Ballast {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, BALLAST_NAME);
  }

  async bytes(): Promise<number> {
    try {
      return (await stat(this.#path)).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        return 0;
      }
      throw error;
    }
  }

  /**
   * Adds one slice, as far as the ballast is smaller than `wantedBytes`.
   *
   * @returns whether there is more to add
   */
  async grow(wantedBytes: number): Promise<boolean> {
    const from = await this.bytes();
    const count = Math.min(SLICE_BYTES, wantedBytes - from);
    if (count <= 0) {
      return false;
    }
    await using file = await open(this.#path, "a", 0o600);
    await file.writeFile(await fill(Buffer.allocUnsafe(count)));
    await file.sync();
    return from + count < wantedBytes;
  }

  /** Gives all of it back. Cut first: a copy of the folder under way may hold the file open. */
  async release(): Promise<number> {
    const bytes = await this.bytes();
    if (bytes > 0) {
      await truncate(this.#path, 0);
    }
    await rm(this.#path, { force: true });
    return bytes;
  }
}
