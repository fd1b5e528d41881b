import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import { type CorpusPlan, corpusStreams } from "./corpus-plan.ts";
import type { BatchDraft, CorpusThreadData } from "./corpus-thread.ts";

/** Batches that a thread makes ahead of whoever takes them. */
const AHEAD = 8;
const BATCH_BYTES = 1 << 20;

export interface FeedOptions {
  /** Folder for the text as compressed files, one a thread. */
  readonly textDir?: string;
  readonly batchBytes?: number;
}

/**
 * The batches of a corpus in the order of their first records' times, generated and compressed by
 * a thread per core. The same plan gives the same batches, whatever the number of threads.
 */
export async function* corpusBatches(
  plan: CorpusPlan,
  { textDir, batchBytes = BATCH_BYTES }: FeedOptions = {},
): AsyncGenerator<BatchDraft, void, undefined> {
  const count = Math.min(2, availableParallelism());
  const bySize = corpusStreams(plan).toSorted((a, b) => b.bytes - a.bytes || a.stream - b.stream);
  const shares = Array.from({ length: count }, (_, thread) =>
    // 0 1 1 0 0 1 1 0: the larger of each two goes to either in turn.
    bySize.filter((_stream, i) => Math.floor(((i + 1) / 2) % count) === thread),
  );
  const threads = shares.map((streams, i) => {
    const textFile = textDir === undefined ? undefined : `${textDir}/text-${i}.zst`;
    return new CorpusThread({ streams, batchBytes, textFile });
  });
  try {
    for (;;) {
      let first: CorpusThread | undefined;
      for (const thread of threads) {
        await thread.ready();
        if (thread.head !== undefined && isBefore(thread.head, first?.head)) {
          first = thread;
        }
      }
      if (first === undefined) return;
      yield first.take();
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

function isBefore(a: BatchDraft, b: BatchDraft | undefined): boolean {
  if (b === undefined) return true;
  return a.minTimeUs < b.minTimeUs || (a.minTimeUs === b.minTimeUs && a.stream < b.stream);
}

class CorpusThread {
  readonly #worker: Worker;
  readonly #drafts: BatchDraft[] = [];
  #failure: Error | undefined;
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  constructor(data: CorpusThreadData) {
    const script = fileURLToPath(new URL("./corpus-thread.js", import.meta.url));
    this.#worker = new Worker(script, { workerData: data });
    this.#worker.on("message", (draft: BatchDraft | undefined) => {
      if (draft === undefined) this.#isOver = true;
      else this.#drafts.push(draft);
      this.#changed.resolve();
    });
    this.#worker.on("error", (error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#changed.resolve();
    });
    for (let i = 0; i < AHEAD; i++) this.#worker.postMessage("next");
  }

  get head(): BatchDraft | undefined {
    return this.#drafts[0];
  }

  /** Resolves when there is a first batch, or there is none any more. */
  async ready(): Promise<void> {
    while (this.#drafts.length === 0 && !this.#isOver) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#changed.promise;
      this.#changed = Promise.withResolvers<void>();
    }
  }

  take(): BatchDraft {
    const draft = this.#drafts.shift();
    if (draft === undefined) throw new Error("no batch is ready");
    if (!this.#isOver) this.#worker.postMessage("next");
    return draft;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
