import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { WriterOptions, WriterReport } from "./writer-messages.ts";

/** The writing program as its parent sees it. Disposal kills it. */
export class WriterProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** Resolves when it writes. */
  static async start(options: WriterOptions): Promise<WriterProcess> {
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    const child = spawn(process.execPath, [main, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], NODE_NO_WARNINGS: "1" },
    });
    const writer = new WriterProcess(child, createInterface({ input: child.stdout }));
    await writer.#next();
    return writer;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the writer was not started");
    return this.#child.pid;
  }

  /** Ends it; resolves with the lines that it has written to each log. */
  async stop(): Promise<readonly number[]> {
    this.#child.kill("SIGTERM");
    const { written } = JSON.parse(await this.#next()) as WriterReport;
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    return written;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  async #next(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error("the writer has ended");
    return next.value;
  }
}
