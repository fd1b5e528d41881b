import type { Worker } from "node:worker_threads";

import { startThread } from "../thread.ts";

/** Frame bytes committed between two checkpoints. */
const CHECKPOINT_EVERY_BYTES = 32 * 1024 * 1024;

/** Asks the checkpoint thread for a checkpoint whenever enough has been committed; it starts with the first. */
export class Checkpointer implements AsyncDisposable {
  readonly #path: string;
  readonly #failed: (error: Error) => void;
  #worker: Worker | undefined;
  #bytes = 0;
  /** For each checkpoint that is asked for, in order: what its end is told to. */
  #asked: (() => void)[] = [];

  constructor(path: string, failed: (error: Error) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  committed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= CHECKPOINT_EVERY_BYTES) {
      this.#ask(() => undefined);
    }
  }

  /** Resolves when what is in the log now has been folded in, as far as its readers and the disk allow. */
  async fold(): Promise<void> {
    await new Promise<void>((resolve) => this.#ask(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(ended: () => void): void {
    this.#bytes = 0;
    this.#worker ??= this.#start();
    this.#asked.push(ended);
    this.#worker.postMessage("checkpoint");
  }

  #start(): Worker {
    const worker = startThread("./checkpoint-thread", import.meta.url, "sluice-checkpoint", {
      path: this.#path,
    });
    worker.on("message", () => this.#asked.shift()?.());
    worker.on("error", this.#failed);
    worker.on("exit", () => {
      // Nobody is kept waiting; the next checkpoint is another thread's.
      this.#worker = undefined;
      const waiting = this.#asked;
      this.#asked = [];
      waiting.forEach((ended) => ended());
    });
    return worker;
  }
}
