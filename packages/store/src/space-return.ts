import { open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { StoreError } from "./errors.ts";
import type { Reclaimed } from "./head/reclaimer.ts";

/** The writer, as far as space comes back through it. */
interface Reclaiming {
  reclaim(
    keepFreeBytes: number,
  ): Promise<Pick<Reclaimed, "segments" | "heldFrom" | "hasReturnedPages">>;
  forget(segmentIds: readonly number[]): Promise<void>;
  checkpoint(): Promise<boolean>;
}

/** How often it is looked whether readers have ended. */
const HELD_MS = 200;

/** Free pages that the head keeps for what comes in next; to return them while lines arrive is work for nothing. */
const KEEP_FREE_BYTES = 256 * 1024 * 1024;

/** Gives the space of what was removed back, when nobody reads it any more. */
export class SpaceReturn implements AsyncDisposable {
  readonly #dataDir: string;
  readonly #writer: Reclaiming;
  readonly #folder: { fold(): Promise<void> };
  readonly #failed: (error: StoreError) => void;
  #last: Promise<unknown> = Promise.resolve();
  #isLooking = false;
  #isStopped = false;

  /** @param folder folds the log into the head beside the writer, which need not wait for it */
  constructor(
    dataDir: string,
    writer: Reclaiming,
    folder: { fold(): Promise<void> },
    failed: (error: StoreError) => void,
  ) {
    this.#dataDir = dataDir;
    this.#writer = writer;
    this.#folder = folder;
    this.#failed = failed;
  }

  /** Returns what can be returned now, some time soon. */
  look(): void {
    if (this.#isLooking || this.#isStopped) {
      return;
    }
    this.#isLooking = true;
    const look = this.#enqueue(KEEP_FREE_BYTES).finally(() => {
      this.#isLooking = false;
    });
    look.catch((cause: unknown) => {
      if (!this.#isStopped) {
        const message = `space could not be returned: ${(cause as Error).message}`;
        this.#failed(
          new StoreError("maintenance-failed", message, "it is tried again in a moment", { cause }),
        );
      }
    });
  }

  /** Resolves when everything that nobody reads is off the disk, free pages of the head included. */
  async settle(): Promise<void> {
    await this.#enqueue(0);
  }

  /**
   * Resolves when nothing is left on the disk of what was removed up to a version: no file, no free page,
   * nothing in the head's log. That waits for its readers, for some minutes where pages of an answer may
   * still be asked for.
   */
  async wipe(version: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const heldFrom = await this.#enqueue(0);
      if (heldFrom === undefined || heldFrom > version) {
        break;
      }
      await delay(HELD_MS, undefined, { signal });
    }
    while (!(await this.#writer.checkpoint())) {
      await delay(HELD_MS, undefined, { signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#last;
  }

  /** Gives the lowest version at which something was removed that is still read. */
  #enqueue(keepFreeBytes: number): Promise<number | undefined> {
    const result = this.#last.then(() => this.#return(keepFreeBytes));
    this.#last = result.catch(() => undefined); // its caller is told
    return result;
  }

  async #return(keepFreeBytes: number): Promise<number | undefined> {
    const { segments, heldFrom, hasReturnedPages } = await this.#writer.reclaim(keepFreeBytes);
    for (const { path } of segments) {
      // Not by the writer: to unlink a large file may take long.
      await unlink(join(this.#dataDir, path)).catch(unlessGone);
    }
    if (segments.length > 0) {
      await this.#makeUnlinksLast(segments.map(({ path }) => path));
      await this.#writer.forget(segments.map(({ id }) => id));
    }
    if (hasReturnedPages) {
      // Commits wait for the second of these alone, which finds little left to do.
      await this.#folder.fold();
      await this.#writer.checkpoint();
    }
    return heldFrom;
  }

  /** Else a file may come back with a power loss, when the manifest has forgotten it: then it counts as unknown. */
  async #makeUnlinksLast(paths: readonly string[]): Promise<void> {
    for (const folder of new Set(paths.map((path) => dirname(join(this.#dataDir, path))))) {
      const handle = await open(folder).catch(unlessGone);
      try {
        await handle?.sync();
      } finally {
        await handle?.close();
      }
    }
  }
}

function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") {
    throw error;
  }
}
