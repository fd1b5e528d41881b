import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

import type { Product } from "../product.ts";
import { backupDirOf } from "./store-backups.ts";
import type { WorkerCommand, WorkerOptions, WorkerReport } from "./worker-messages.ts";

export interface StoreStart {
  readonly product: Product;
  readonly dataDir: string;
  readonly seed: number;
  /** Command and arguments to run it under, such as strace's. */
  readonly wrapper?: readonly string[];
}

type ReportOf<K extends WorkerReport["kind"]> = Extract<WorkerReport, { kind: K }>;

interface Waiter {
  readonly matches: (report: WorkerReport) => boolean;
  readonly resolve: (report: WorkerReport) => void;
  readonly reject: (error: Error) => void;
}

/** A module that has `@sluice/store` be another build's: a mutant is a copy of the tree. */
function resolveStoreTo(url: string): string {
  const code = `import { registerHooks } from "node:module";
    registerHooks({ resolve: (name, context, next) => name === "@sluice/store"
      ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(name, context) });`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

/** The worker as its parent sees it. Disposal kills it. */
export class StoreProcess implements AsyncDisposable {
  /** Resolves when it has ended and all that it reported has been read. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #take: (report: WorkerReport) => void;
  readonly #waiters = new Set<Waiter>();
  #errors = "";
  #hasEnded = false;

  /** @param take every report, in order */
  constructor(start: StoreStart, take: (report: WorkerReport) => void) {
    this.#take = take;
    const [command, ...args] = [
      ...(start.wrapper ?? []),
      process.execPath,
      "--import",
      resolveStoreTo(pathToFileURL(join(start.product.root, "packages/store/dist/index.js")).href),
      fileURLToPath(new URL("main.ts", import.meta.url)),
      JSON.stringify({
        dataDir: start.dataDir,
        backupDir: backupDirOf(start.dataDir),
        seed: start.seed,
      } satisfies WorkerOptions),
    ];
    this.#child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], NODE_NO_WARNINGS: "1" },
    });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on("error", () => undefined); // it was killed before it read it
    stderr?.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    const read = (async () => {
      for await (const line of createInterface({ input: stdout as NodeJS.ReadableStream })) {
        this.#receive(JSON.parse(line) as WorkerReport);
      }
    })();
    this.ended = new Promise((resolve) => {
      this.#child.once("close", () => void read.then(() => this.#end()).then(resolve));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What it said that was not a report: why it died, where it did so by itself. */
  get errors(): string {
    return this.#errors;
  }

  send(command: WorkerCommand): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** The next report of a kind; rejects where it ends without one. */
  next<K extends WorkerReport["kind"]>(
    kind: K,
    matches: (report: ReportOf<K>) => boolean = () => true,
  ): Promise<ReportOf<K>> {
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) {
        reject(this.#gone());
        return;
      }
      this.#waiters.add({
        matches: (report) => report.kind === kind && matches(report as ReportOf<K>),
        resolve: resolve as (report: WorkerReport) => void,
        reject,
      });
    });
  }

  /** Has it carry out a command and waits until it has. */
  async carryOut(command: WorkerCommand): Promise<void> {
    const done = this.next("done");
    this.send(command);
    await done;
  }

  /** In good order. */
  async close(): Promise<void> {
    this.send({ kind: "close" });
    this.#child.stdin?.end(); // it ends when nobody can tell it anything any more
    await this.ended;
  }

  /** With everything that it is in the middle of. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) {
      await this.kill();
    }
  }

  #receive(report: WorkerReport): void {
    this.#take(report);
    for (const waiter of this.#waiters) {
      if (waiter.matches(report)) {
        this.#waiters.delete(waiter);
        waiter.resolve(report);
      }
    }
  }

  #end(): void {
    this.#hasEnded = true;
    for (const waiter of this.#waiters) {
      waiter.reject(this.#gone());
    }
    this.#waiters.clear();
  }

  #gone(): Error {
    return new Error(`the store's process ended by itself:\n${this.#errors}`);
  }
}
