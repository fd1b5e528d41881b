import { type AppendRequest, prepare, prepareOnPool, type PreparedRequest } from "./committer.ts";
import type { CommitRequest } from "./writer-messages.ts";

/** A message of less is decompressed here in less time than it takes to hand it to the pool. */
const POOL_FROM_BYTES = 32 * 1024;

/** Messages that the pool decompresses at a time: what they inflate to is in memory until then. */
const MOST_ON_POOL = 4;

interface Entry {
  readonly request: CommitRequest;
  prepared: PreparedRequest | undefined;
  isStarted: boolean;
}

/**
 * Requests in the order in which they came, each made ready for its commit: large messages are
 * decompressed by the thread pool while the writer does something else. A request that is ready waits
 * for those before it.
 */
export class Intake {
  readonly #ready: (requests: readonly PreparedRequest[]) => void;
  readonly #entries: Entry[] = [];
  #onPool = 0;

  /** @param ready takes what is ready, in order */
  constructor(ready: (requests: readonly PreparedRequest[]) => void) {
    this.#ready = ready;
  }

  push(request: CommitRequest): void {
    const isLarge = request.kind === "append" && request.message.length >= POOL_FROM_BYTES;
    const prepared = isLarge ? undefined : prepare(request);
    this.#entries.push({ request, prepared, isStarted: !isLarge });
    if (isLarge) {
      this.#start();
    } else {
      this.#release();
    }
  }

  /** Makes the rest ready here and now. */
  flush(): void {
    for (const entry of this.#entries) {
      entry.prepared ??= prepare(entry.request);
    }
    this.#release();
  }

  #start(): void {
    for (const entry of this.#entries) {
      if (this.#onPool >= MOST_ON_POOL) {
        return;
      }
      if (!entry.isStarted) {
        entry.isStarted = true;
        this.#onPool += 1;
        void this.#prepare(entry, entry.request as AppendRequest);
      }
    }
  }

  async #prepare(entry: Entry, request: AppendRequest): Promise<void> {
    const prepared = await prepareOnPool(request);
    this.#onPool -= 1;
    // Behind a flush it has been committed already.
    entry.prepared ??= prepared;
    this.#start();
    this.#release();
  }

  #release(): void {
    const ready: PreparedRequest[] = [];
    for (let first = this.#entries[0]; first?.prepared !== undefined; first = this.#entries[0]) {
      ready.push(first.prepared);
      this.#entries.shift();
    }
    if (ready.length > 0) {
      this.#ready(ready);
    }
  }
}
