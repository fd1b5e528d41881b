import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { quantile } from "./quantile.ts";

/** In each line: when it was written, by this process's own monotonic clock. */
const SENT = / sent=(\d+\.\d+)$/;

/** Longer than any line should take; what has not come by then counts as lost. */
const PATIENCE_MS = 30_000;

/** A line as a program logs it, stamped with the moment at which it is written. */
export function stampedLine(): string {
  const time = new Date().toISOString();
  return `${time} web-1 shop[812]: GET /basket 200 in 12 ms sent=${performance.now().toFixed(3)}\n`;
}

/** `sluice tail` as a process, and how late stamped lines come out of it. */
export class TailWatch implements AsyncDisposable {
  readonly #tail: ChildProcess;
  readonly #lateMs: number[] = [];

  private constructor(tail: ChildProcess) {
    this.#tail = tail;
    if (tail.stdout === null) throw new Error("no output to watch");
    createInterface({ input: tail.stdout }).on("line", (line) => {
      const sent = SENT.exec(line);
      if (sent !== null) this.#lateMs.push(performance.now() - Number(sent[1]));
    });
  }

  /** @param poke writes a stamped line: a tail says by its first output only that it follows */
  static async start(command: readonly string[], poke: () => void): Promise<TailWatch> {
    const [program = "", ...args] = command;
    const watch = new TailWatch(spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] }));
    const sinceMs = performance.now();
    while (watch.#lateMs.length === 0) {
      if (watch.#tail.exitCode !== null || performance.now() - sinceMs > PATIENCE_MS) {
        await watch[Symbol.asyncDispose]();
        throw new Error("sluice tail shows nothing of what is written");
      }
      poke();
      await sleep(100);
    }
    return watch;
  }

  /** Lines seen so far. */
  get seen(): number {
    return this.#lateMs.length;
  }

  /** Forgets what was seen. */
  reset(): void {
    this.#lateMs.length = 0;
  }

  /** Waits for so many lines since `reset`, and says how late they were. */
  async figures(lines: number): Promise<Record<string, number>> {
    const sinceMs = performance.now();
    while (this.seen < lines && performance.now() - sinceMs < PATIENCE_MS) await sleep(20);
    return {
      lines,
      "lines missing": lines - this.seen,
      "p50 ms": quantile(this.#lateMs, 0.5),
      "p99 ms": quantile(this.#lateMs, 0.99),
      "max ms": quantile(this.#lateMs, 1),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#tail.exitCode === null) {
      this.#tail.kill("SIGKILL");
      await once(this.#tail, "exit");
    }
  }
}
