import { closeSync, openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Between two writes: what a busy program's own buffering would do. */
const STEP_MS = 5;

/** Appends lines to files in turn, at a steady rate over all of them together, until it is disposed. */
export class PacedWriter implements AsyncDisposable {
  readonly #files: readonly number[];
  readonly #writing: Promise<void>;
  #isStopped = false;
  #stopped: Promise<number> | undefined;
  #written = 0;

  /** @param line the next line, with its LF; asked when it is written */
  constructor(paths: readonly string[], linesPerSecond: number, line: () => string) {
    this.#files = paths.map((path) => openSync(path, "a"));
    this.#writing = this.#write(linesPerSecond, line);
  }

  /** Resolves with the number of lines written. */
  stop(): Promise<number> {
    this.#stopped ??= this.#finish();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #finish(): Promise<number> {
    this.#isStopped = true;
    await this.#writing;
    this.#files.forEach((file) => closeSync(file));
    return this.#written;
  }

  async #write(linesPerSecond: number, line: () => string): Promise<void> {
    const startedMs = performance.now();
    while (!this.#isStopped) {
      const due = ((performance.now() - startedMs) * linesPerSecond) / 1000;
      const texts = new Map<number, string>();
      for (; this.#written < due; this.#written++) {
        const file = this.#files[this.#written % this.#files.length] as number;
        texts.set(file, (texts.get(file) ?? "") + line());
      }
      for (const [file, text] of texts) writeSync(file, text);
      await sleep(STEP_MS);
    }
  }
}
