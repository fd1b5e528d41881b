import type { Worker } from "node:worker_threads";

import { SearchError } from "./search-error.ts";
import { CHUNKS_IN_FLIGHT, type SearchCommand, type SearchReply } from "./search-messages.ts";
import type { SearchProgress, SearchRequest, SearchRun, SearchSummary } from "./search-request.ts";
import { startThread } from "../thread.ts";

/** Searches that run at a time: one per core of a small machine; others wait for their turn. */
const DEFAULT_THREADS = 2;

/** Threads at the most, those included that wait for a slow reader. */
const MOST_THREADS = 8;

/** A cancelled or overdue search that has not ended by itself after this is ended with its thread. */
const GRACE_MS = 100;

interface Job {
  readonly id: number;
  readonly request: SearchRequest;
  readonly cancelled: Int32Array;
  readonly chunks: Uint8Array[];
  readonly summary: PromiseWithResolvers<SearchSummary>;
  progress: SearchProgress;
  ended: boolean;
  error: SearchError | undefined;
  notify: () => void;
  thread: Worker | undefined;
  /** Takes a share of it. */
  helper: Worker | undefined;
  deadline: NodeJS.Timeout | undefined;
}

type HelpWanted = Extract<SearchReply, { kind: "help" }>;

/** Searches in worker threads, each under a deadline. */
export class SearchPool implements AsyncDisposable {
  readonly #dataDir: string;
  readonly #threads: number;
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, Job>();
  /** Threads that take a share of a search that another one leads. */
  readonly #helping = new Map<Worker, Job>();
  /** Threads that have been told to end: what they still say is of no use, and no search gets one. */
  readonly #ending = new Set<Worker>();
  readonly #queue: Job[] = [];
  #nextId = 1;
  #disposed = false;

  constructor(dataDir: string, threads: number = DEFAULT_THREADS) {
    this.#dataDir = dataDir;
    this.#threads = threads;
  }

  search(request: SearchRequest, signal: AbortSignal): SearchRun {
    const job: Job = {
      id: this.#nextId++,
      request,
      cancelled: new Int32Array(new SharedArrayBuffer(4)),
      chunks: [],
      summary: Promise.withResolvers(),
      progress: { blocksRead: 0, blocksTotal: 0, bytesRead: 0 },
      ended: false,
      error: undefined,
      notify: () => undefined,
      thread: undefined,
      helper: undefined,
      deadline: undefined,
    };
    // The iteration throws the same error; who ignores the summary has not ignored that.
    job.summary.promise.catch(() => undefined);
    const cancel = (): void =>
      this.#cancel(job, new SearchError("cancelled", "the search was cancelled"));
    if (this.#disposed) {
      this.#end(job, new SearchError("cancelled", "the collector stops"));
    } else if (signal.aborted) {
      cancel();
    } else {
      signal.addEventListener("abort", cancel, { once: true });
      const forget = (): void => signal.removeEventListener("abort", cancel);
      job.summary.promise.then(forget, forget);
      this.#queue.push(job);
      this.#dispatch();
    }
    return {
      summary: job.summary.promise,
      get progress(): SearchProgress {
        return job.progress;
      },
      [Symbol.asyncIterator]: () => this.#iterate(job, cancel),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const job of [...this.#queue, ...this.#running.values()]) {
      this.#end(job, new SearchError("cancelled", "the collector stops"));
    }
    const threads = new Set([
      ...this.#idle,
      ...this.#running.keys(),
      ...this.#helping.keys(),
      ...this.#ending,
    ]);
    await Promise.all(Array.from(threads, (thread) => thread.terminate()));
  }

  async *#iterate(job: Job, cancel: () => void): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = job.chunks.shift();
        if (chunk !== undefined) {
          job.thread?.postMessage({ kind: "more", id: job.id } satisfies SearchCommand);
          yield chunk;
        } else if (job.error !== undefined) {
          throw job.error;
        } else if (job.ended) {
          return;
        } else {
          const { promise, resolve } = Promise.withResolvers<void>();
          job.notify = resolve;
          await promise;
        }
      }
    } finally {
      cancel();
    }
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && !this.#disposed) {
      if (this.#isFull) {
        return;
      }
      const job = this.#queue.shift() as Job;
      const thread = this.#idle.pop() ?? this.#spawn();
      this.#running.set(thread, job);
      job.thread = thread;
      const { deadlineMs } = job.request;
      job.deadline = setTimeout(() => {
        const seconds = deadlineMs / 1000;
        this.#cancel(
          job,
          new SearchError(
            "deadline",
            `the search did not end within ${seconds} s: narrow it with --since or --until, or use a simpler pattern`,
          ),
        );
      }, deadlineMs);
      thread.postMessage({
        kind: "start",
        id: job.id,
        request: job.request,
        cancelled: job.cancelled.buffer as SharedArrayBuffer,
      } satisfies SearchCommand);
    }
  }

  /** Whose reader has not taken what is ready, like a pager nobody scrolls, keeps no core busy. */
  get #isFull(): boolean {
    let working = this.#helping.size;
    for (const { chunks } of this.#running.values()) {
      working += chunks.length < CHUNKS_IN_FLIGHT ? 1 : 0;
    }
    const busy = this.#running.size + this.#helping.size;
    const hasThread = this.#idle.length > 0 || busy < MOST_THREADS;
    return working >= this.#threads || !hasThread;
  }

  #spawn(): Worker {
    const thread = startThread("./search-thread", import.meta.url, "sluice-search", {
      dataDir: this.#dataDir,
    });
    thread.on("message", (reply: SearchReply) => this.#receive(thread, reply));
    thread.on("error", (error: Error) => this.#lost(thread, error.message));
    thread.on("exit", () => this.#lost(thread, "the search thread ended"));
    thread.unref();
    return thread;
  }

  #receive(thread: Worker, reply: SearchReply): void {
    if (this.#ending.has(thread)) {
      return;
    }
    const helped = this.#helping.get(thread);
    if (helped !== undefined) {
      this.#receiveHelp(thread, helped, reply);
      return;
    }
    const job = this.#running.get(thread);
    if (job === undefined || reply.id !== job.id) {
      return;
    }
    switch (reply.kind) {
      case "help":
        this.#help(thread, job, reply);
        return;
      case "shared":
        return;
      case "chunk":
        job.progress = reply.progress;
        if (!job.ended) {
          job.chunks.push(reply.bytes);
          job.notify();
          if (job.chunks.length === CHUNKS_IN_FLIGHT) {
            this.#dispatch();
          }
        }
        return;
      case "progress":
        job.progress = reply.progress;
        return;
      case "end":
        this.#release(thread, job);
        if (!job.ended) {
          job.ended = true;
          job.progress = reply.summary;
          job.summary.resolve(reply.summary);
          job.notify();
        }
        return;
      case "error":
        Atomics.store(job.cancelled, 0, 1); // for who helps it
        this.#release(thread, job);
        this.#end(job, new SearchError(reply.code, reply.message, reply.query));
        return;
      default:
        reply satisfies never;
    }
  }

  /** Has another thread take a share, where one is free and no other search waits for it. */
  #help(leader: Worker, job: Job, { id, moment, counter }: HelpWanted): void {
    if (this.#isFull || this.#queue.length > 0 || job.ended) {
      leader.postMessage({ kind: "helped", id, share: undefined } satisfies SearchCommand);
      return;
    }
    const helper = this.#idle.pop() ?? this.#spawn();
    this.#helping.set(helper, job);
    job.helper = helper;
    helper.postMessage({
      kind: "share",
      id,
      request: job.request,
      moment,
      counter,
      cancelled: job.cancelled.buffer as SharedArrayBuffer,
    } satisfies SearchCommand);
  }

  #receiveHelp(helper: Worker, job: Job, reply: SearchReply): void {
    if (reply.kind !== "shared" && reply.kind !== "error") {
      return;
    }
    this.#helping.delete(helper);
    job.helper = undefined;
    this.#rest(helper);
    if (reply.kind === "shared") {
      job.thread?.postMessage({
        kind: "helped",
        id: job.id,
        share: reply.share,
      } satisfies SearchCommand);
    } else {
      // What it had claimed is not in any share.
      this.#cancel(job, new SearchError(reply.code, reply.message, reply.query));
    }
    this.#dispatch();
  }

  /** Tells the thread to stop; one that is caught in a pattern is ended. */
  #cancel(job: Job, error: SearchError): void {
    if (job.ended) {
      return;
    }
    this.#end(job, error);
    const queued = this.#queue.indexOf(job);
    if (queued !== -1) {
      this.#queue.splice(queued, 1);
      return;
    }
    Atomics.store(job.cancelled, 0, 1);
    const { thread, helper } = job;
    thread?.postMessage({ kind: "more", id: job.id } satisfies SearchCommand);
    thread?.postMessage({ kind: "helped", id: job.id, share: undefined } satisfies SearchCommand);
    setTimeout(() => {
      if (thread !== undefined && this.#running.get(thread) === job) {
        this.#terminate(thread);
      }
      if (helper !== undefined && this.#helping.get(helper) === job) {
        this.#terminate(helper);
      }
    }, GRACE_MS).unref();
  }

  #end(job: Job, error: SearchError): void {
    if (job.ended) {
      return;
    }
    job.ended = true;
    job.error = error;
    job.chunks.length = 0;
    job.summary.reject(error);
    job.notify();
  }

  #release(thread: Worker, job: Job): void {
    clearTimeout(job.deadline);
    this.#running.delete(thread);
    this.#rest(thread);
    this.#dispatch();
  }

  #rest(thread: Worker): void {
    if (this.#idle.length < this.#threads) {
      this.#idle.push(thread);
    } else {
      this.#terminate(thread);
    }
  }

  #terminate(thread: Worker): void {
    this.#ending.add(thread);
    void thread.terminate();
  }

  #lost(thread: Worker, reason: string): void {
    const job = this.#running.get(thread) ?? this.#helping.get(thread);
    this.#ending.delete(thread);
    this.#running.delete(thread);
    this.#helping.delete(thread);
    const idle = this.#idle.indexOf(thread);
    if (idle !== -1) {
      this.#idle.splice(idle, 1);
    }
    if (job !== undefined) {
      this.#cancel(job, new SearchError("failed", reason));
      if (job.thread === thread) {
        clearTimeout(job.deadline);
      }
    }
    this.#dispatch();
  }
}
