import type { Worker } from "node:worker_threads";

import type { SearchError } from "./search-error.ts";
import type { SearchCommand } from "./search-messages.ts";
import type { SearchProgress, SearchRequest, SearchRun, SearchSummary } from "./search-request.ts";

/** One search on its way: what its reader has not taken yet, who works on it, and how it ended. */
export class SearchJob {
  readonly id: number;
  readonly request: SearchRequest;
  /** Holds 1 as soon as nobody waits for it: threads look at it between two blocks. */
  readonly cancelled: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(4));
  readonly #chunks: Uint8Array[] = [];
  readonly #summary = Promise.withResolvers<SearchSummary>();
  #error: SearchError | undefined;
  #notify: () => void = () => undefined;
  #ended = false;
  progress: SearchProgress = { blocksRead: 0, blocksTotal: 0, bytesRead: 0 };
  thread: Worker | undefined;
  /** Takes a share of it. */
  helper: Worker | undefined;
  deadline: NodeJS.Timeout | undefined;

  constructor(id: number, request: SearchRequest) {
    this.id = id;
    this.request = request;
    // The iteration throws the same error; who ignores the summary has not ignored that.
    this.#summary.promise.catch(() => undefined);
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Chunks that its reader has not taken. */
  get waiting(): number {
    return this.#chunks.length;
  }

  get summary(): Promise<SearchSummary> {
    return this.#summary.promise;
  }

  /** @param cancel called when its reader goes away, whether it has read to the end or not */
  run(cancel: () => void): SearchRun {
    const progress = (): SearchProgress => this.progress;
    return {
      summary: this.#summary.promise,
      get progress(): SearchProgress {
        return progress();
      },
      [Symbol.asyncIterator]: () => this.#iterate(cancel),
    };
  }

  take(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#notify();
  }

  complete(summary: SearchSummary): void {
    if (!this.#ended) {
      this.#ended = true;
      this.progress = summary;
      this.#summary.resolve(summary);
      this.#notify();
    }
  }

  /** What was not taken is dropped. */
  fail(error: SearchError): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#error = error;
      this.#chunks.length = 0;
      this.#summary.reject(error);
      this.#notify();
    }
  }

  tell(command: SearchCommand): void {
    this.thread?.postMessage(command);
  }

  async *#iterate(cancel: () => void): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.tell({ kind: "more", id: this.id });
          yield chunk;
        } else if (this.#error !== undefined) {
          throw this.#error;
        } else if (this.#ended) {
          return;
        } else {
          const { promise, resolve } = Promise.withResolvers<void>();
          this.#notify = resolve;
          await promise;
        }
      }
    } finally {
      cancel();
    }
  }
}
