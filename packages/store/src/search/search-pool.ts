import type { Worker } from "node:worker_threads";

import { SearchError } from "./search-error.ts";
import { SearchJob } from "./search-job.ts";
import { CHUNKS_IN_FLIGHT, type SearchCommand, type SearchReply } from "./search-messages.ts";
import type { SearchRequest, SearchRun } from "./search-request.ts";
import { startThread } from "../thread.ts";

/** Searches that run at a time: one per core of a small machine; others wait for their turn. */
const DEFAULT_THREADS = 2;

/** Threads at the most, those included that wait for a slow reader. */
const MOST_THREADS = 8;

/** A cancelled or overdue search that has not ended by itself after this is ended with its thread. */
const GRACE_MS = 100;

type HelpWanted = Extract<SearchReply, { kind: "help" }>;

/** Searches in worker threads, each under a deadline. */
export class SearchPool implements AsyncDisposable {
  readonly #dataDir: string;
  readonly #threads: number;
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, SearchJob>();
  /** Threads that take a share of a search that another one leads. */
  readonly #helping = new Map<Worker, SearchJob>();
  /** Threads that have been told to end: what they still say is of no use, and no search gets one. */
  readonly #ending = new Set<Worker>();
  readonly #queue: SearchJob[] = [];
  #nextId = 1;
  #disposed = false;

  constructor(dataDir: string, threads: number = DEFAULT_THREADS) {
    this.#dataDir = dataDir;
    this.#threads = threads;
  }

  search(request: SearchRequest, signal: AbortSignal): SearchRun {
    const job = new SearchJob(this.#nextId++, request);
    const cancel = (): void =>
      this.#cancel(job, new SearchError("cancelled", "the search was cancelled"));
    if (this.#disposed) {
      job.fail(new SearchError("cancelled", "the collector stops"));
    } else if (signal.aborted) {
      cancel();
    } else {
      signal.addEventListener("abort", cancel, { once: true });
      const forget = (): void => signal.removeEventListener("abort", cancel);
      job.summary.then(forget, forget);
      this.#queue.push(job);
      this.#dispatch();
    }
    return job.run(cancel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const job of [...this.#queue, ...this.#running.values()]) {
      job.fail(new SearchError("cancelled", "the collector stops"));
    }
    const threads = new Set([
      ...this.#idle,
      ...this.#running.keys(),
      ...this.#helping.keys(),
      ...this.#ending,
    ]);
    await Promise.all(Array.from(threads, (thread) => thread.terminate()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && !this.#disposed) {
      if (this.#isFull) {
        return;
      }
      const job = this.#queue.shift() as SearchJob;
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
      job.tell({
        kind: "start",
        id: job.id,
        request: job.request,
        cancelled: job.cancelled.buffer,
      });
    }
  }

  /** Whose reader has not taken what is ready, like a pager nobody scrolls, keeps no core busy. */
  get #isFull(): boolean {
    let working = this.#helping.size;
    for (const { waiting } of this.#running.values()) {
      working += waiting < CHUNKS_IN_FLIGHT ? 1 : 0;
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
        if (!job.hasEnded) {
          job.take(reply.bytes);
          if (job.waiting === CHUNKS_IN_FLIGHT) {
            this.#dispatch();
          }
        }
        return;
      case "progress":
        job.progress = reply.progress;
        return;
      case "end":
        this.#release(thread, job);
        job.complete(reply.summary);
        return;
      case "error":
        Atomics.store(job.cancelled, 0, 1); // for who helps it
        this.#release(thread, job);
        job.fail(new SearchError(reply.code, reply.message, reply.query));
        return;
      default:
        reply satisfies never;
    }
  }

  /** Has another thread take a share, where one is free and no other search waits for it. */
  #help(leader: Worker, job: SearchJob, { id, moment, counter }: HelpWanted): void {
    if (this.#isFull || this.#queue.length > 0 || job.hasEnded) {
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
      cancelled: job.cancelled.buffer,
    } satisfies SearchCommand);
  }

  #receiveHelp(helper: Worker, job: SearchJob, reply: SearchReply): void {
    if (reply.kind !== "shared" && reply.kind !== "error") {
      return;
    }
    this.#helping.delete(helper);
    job.helper = undefined;
    this.#rest(helper);
    if (reply.kind === "shared") {
      job.tell({ kind: "helped", id: job.id, share: reply.share });
    } else {
      // What it had claimed is not in any share.
      this.#cancel(job, new SearchError(reply.code, reply.message, reply.query));
    }
    this.#dispatch();
  }

  /** Tells the thread to stop; one that is caught in a pattern is ended. */
  #cancel(job: SearchJob, error: SearchError): void {
    if (job.hasEnded) {
      return;
    }
    job.fail(error);
    const queued = this.#queue.indexOf(job);
    if (queued !== -1) {
      this.#queue.splice(queued, 1);
      return;
    }
    Atomics.store(job.cancelled, 0, 1);
    job.tell({ kind: "more", id: job.id });
    job.tell({ kind: "helped", id: job.id, share: undefined });
    const { thread, helper } = job;
    setTimeout(() => {
      if (thread !== undefined && this.#running.get(thread) === job) {
        this.#terminate(thread);
      }
      if (helper !== undefined && this.#helping.get(helper) === job) {
        this.#terminate(helper);
      }
    }, GRACE_MS).unref();
  }

  #release(thread: Worker, job: SearchJob): void {
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
