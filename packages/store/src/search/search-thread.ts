import { parentPort, workerData } from "node:worker_threads";
import { parseQuery } from "@sluice/query";

import { StoreError } from "../errors.ts";
import { describeSqliteError, type HeadDatabase, openHeadForReading } from "../head/head-file.ts";
import { runSearch } from "./search-engine.ts";
import { SearchError } from "./search-error.ts";
import { CHUNKS_IN_FLIGHT, type SearchCommand, type SearchReply } from "./search-messages.ts";
import type { SearchProgress, SearchRequest } from "./search-request.ts";

/** Between two messages about progress. */
const PROGRESS_EVERY_MS = 200;

/** One search at a time, away from the event loop; its user's patterns can hang nothing but this. */
class SearchThread {
  readonly #path: string;
  readonly #db: HeadDatabase;
  readonly #reply: (reply: SearchReply, transfer?: ArrayBuffer[]) => void;
  #running = 0;
  #inFlight = 0;
  #wake: (() => void) | undefined;

  constructor(path: string, reply: (reply: SearchReply, transfer?: ArrayBuffer[]) => void) {
    this.#path = path;
    this.#db = openHeadForReading(path);
    this.#reply = reply;
  }

  /** What a consumer takes of a search that has ended says nothing of the one that runs. */
  taken(id: number): void {
    if (id === this.#running) {
      this.#inFlight -= 1;
      this.#wake?.();
    }
  }

  async run(id: number, request: SearchRequest, cancelled: SharedArrayBuffer): Promise<void> {
    this.#running = id;
    this.#inFlight = 0;
    try {
      await this.#search(id, request, new Int32Array(cancelled));
    } catch (error) {
      const { code, message, query } = toSearchError(error, this.#path);
      this.#reply({ kind: "error", id, code, message, query });
    }
  }

  async #search(id: number, request: SearchRequest, cancelled: Int32Array): Promise<void> {
    const query = parseQuery(request.query);
    if (!query.ok) {
      throw new SearchError("query-invalid", query.error.message, query.error);
    }
    const endsAtMs = performance.now() + request.deadlineMs;
    let progress: SearchProgress = { blocksRead: 0, blocksTotal: 0, bytesRead: 0 };
    let reportedMs = performance.now();
    const search = runSearch(this.#db, request, query.value, {
      checkpoint: () => {
        if (Atomics.load(cancelled, 0) !== 0) {
          throw new SearchError("cancelled", "the search was cancelled");
        }
        if (performance.now() > endsAtMs) {
          throw new SearchError("deadline", deadlineMessage(request.deadlineMs));
        }
      },
      progress: (now) => {
        progress = now;
        if (performance.now() - reportedMs > PROGRESS_EVERY_MS) {
          reportedMs = performance.now();
          this.#reply({ kind: "progress", id, progress });
        }
      },
    });
    for (;;) {
      const step = search.next();
      if (step.done === true) {
        this.#reply({ kind: "end", id, summary: step.value });
        return;
      }
      const { bytes } = step.value;
      this.#inFlight += 1;
      this.#reply({ kind: "chunk", id, bytes, progress });
      await this.#room(cancelled);
    }
  }

  /** Waits until the consumer has taken enough; a cancelled search does not wait. */
  async #room(cancelled: Int32Array): Promise<void> {
    while (this.#inFlight >= CHUNKS_IN_FLIGHT && Atomics.load(cancelled, 0) === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}

function toSearchError(error: unknown, path: string): SearchError {
  if (error instanceof SearchError) {
    return error;
  }
  const described = describeSqliteError(error, path);
  const isDamage = described instanceof StoreError && described.code === "data-corrupt";
  const message = described instanceof Error ? described.message : String(described);
  return new SearchError(isDamage ? "damaged" : "failed", message);
}

function deadlineMessage(deadlineMs: number): string {
  return `the search did not end within ${deadlineMs / 1000} s: narrow it with --since or --until, or a simpler pattern`;
}

const port = parentPort;
if (port !== null) {
  const { path } = workerData as { path: string };
  const thread = new SearchThread(path, (reply) => port.postMessage(reply));
  port.on("message", (command: SearchCommand) => {
    switch (command.kind) {
      case "start":
        void thread.run(command.id, command.request, command.cancelled);
        return;
      case "more":
        thread.taken(command.id);
        return;
      default:
        command satisfies never;
    }
  });
}
