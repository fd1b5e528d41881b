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

  constructor(path: string, failed: (error: Error) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  committed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= CHECKPOINT_EVERY_BYTES) {
      this.#bytes = 0;
      this.#worker ??= this.#start();
      this.#worker.postMessage("checkpoint");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = startThread("./checkpoint-thread", import.meta.url, "sluice-checkpoint", {
      path: this.#path,
    });
    worker.on("error", this.#failed);
    return worker;
  }
}
