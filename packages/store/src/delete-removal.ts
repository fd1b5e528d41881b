import { StoreError } from "./errors.ts";
import type { TakenOut } from "./maintenance/deletion.ts";
import type { Swap, SwapResult } from "./manifest/swap.ts";

/** What the removal works with. */
interface RemovalParts {
  readonly maintenance: { takeOutDeleted(): Promise<TakenOut | undefined> };
  readonly space: {
    settle(): Promise<void>;
    wipe(version: number, signal: AbortSignal): Promise<void>;
  };
  readonly writer: { swap(swap: Swap): Promise<SwapResult> };
  readonly failed: (error: StoreError) => void;
}

/** A removal that failed is begun again after this; it may have written a good deal. */
const RETRY_MS = 60_000;

/**
 * Takes what was deleted out of the files, in the background: begun when a delete is issued, and at start
 * where a crash has left one. A delete is done when nothing of it is left on the disk, so that whatever
 * ends this before is made good by the next start.
 */
export class DeleteRemoval implements AsyncDisposable {
  readonly #parts: RemovalParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #isDue: boolean;
  #notBeforeMs = 0;

  constructor(parts: RemovalParts, isDue: boolean) {
    this.#parts = parts;
    this.#isDue = isDue;
  }

  /** A delete was issued. */
  issued(): void {
    this.#isDue = true;
    this.#notBeforeMs = 0;
    this.look();
  }

  /** Goes on with what is due. */
  look(): void {
    if (!this.#isDue || this.#running !== undefined || performance.now() < this.#notBeforeMs) {
      return;
    }
    this.#begin().catch((cause: unknown) => {
      if (!this.#stopping.signal.aborted) {
        const message = `deleted records are hidden, but not gone from the files: ${(cause as Error).message}`;
        const advice = "it is tried again in a moment";
        this.#parts.failed(new StoreError("maintenance-failed", message, advice, { cause }));
      }
    });
  }

  /** Resolves when the records of every delete so far are gone from the files. */
  async settle(): Promise<void> {
    this.#isDue = true; // one may have been issued by another process before this one was started
    while (this.#isDue) {
      await this.#begin();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running?.catch(() => undefined); // told to whoever began it
  }

  #begin(): Promise<void> {
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        this.#isDue = true;
        this.#notBeforeMs = performance.now() + RETRY_MS;
        throw error;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { maintenance, space } = this.#parts;
    while (this.#isDue) {
      this.#isDue = false;
      const startedUs = Date.now() * 1000;
      await space.settle(); // what was freed before and still lies in the head
      const takenOut = await maintenance.takeOutDeleted();
      if (takenOut !== undefined) {
        await space.wipe(takenOut.version, this.#stopping.signal);
        await this.#finish(takenOut, startedUs);
        this.#isDue = true; // others may have been issued meanwhile
      }
    }
  }

  async #finish(
    { deletes, records, bytes, detail, issuedUs }: TakenOut,
    startedUs: number,
  ): Promise<void> {
    await this.#parts.writer.swap({
      add: [],
      removeBatches: [],
      removeSegments: [],
      removed: [],
      deletesSeen: undefined,
      deletesDone: deletes,
      job: {
        kind: "delete",
        dueUs: issuedUs,
        startedUs,
        tookMs: Date.now() - startedUs / 1000,
        outcome: { records, bytes },
        detail,
      },
    });
  }
}
