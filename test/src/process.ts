import { type ChildProcess, spawn } from "node:child_process";

import { PLAIN_ENV } from "./command.ts";

/** One line of a service's log (pino's JSON); `text` holds a line that is not one. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface LogWaiter {
  readonly matches: (line: LogLine) => boolean;
  readonly resolve: (line: LogLine) => void;
  readonly reject: (error: Error) => void;
}

/** pino's number of "error"; what is below is the ordinary life of a service. */
export const LOG_LEVEL_ERROR = 50;

/** What runs; a test that is broken off by its time limit does not get to its disposals. */
const running = new Set<ChildProcess>();
const killAll = (): void => {
  for (const child of running) child.kill("SIGKILL");
};
process.on("exit", killAll);
// How a runner ends a worker whose test hangs; it exits by itself where it still can.
process.prependListener("SIGTERM", () => {
  killAll();
  process.exit(143);
});

/**
 * A service of the product that a test runs: its log as it comes, and its end. Disposal kills it,
 * so that no test leaves a process behind.
 */
export class ServiceProcess implements AsyncDisposable {
  readonly name: string;
  readonly log: LogLine[] = [];
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #waiters = new Set<LogWaiter>();
  #partial = "";
  #exit: Exit | undefined;

  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(command, args, {
      stdio: ["ignore", "ignore", "pipe"],
      // Nothing of the machine's own configuration may reach the product.
      env: { ...PLAIN_ENV, NODE_NO_WARNINGS: "1" },
    });
    running.add(this.#child);
    const { stderr } = this.#child;
    stderr?.setEncoding("utf8");
    stderr?.on("data", (text: string) => this.#take(text));
    this.exited = new Promise((resolve) => {
      this.#child.once("error", (error) => this.#ended({ code: null, signal: null }, error));
      // "close", not "exit": by then the last line of the log has been read.
      this.#child.once("close", (code, signal) => {
        const exit = { code, signal };
        this.#ended(exit);
        resolve(exit);
      });
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.name} was not started`);
    return pid;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** The first line, past or to come, that matches; rejects when the process ends without one. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine> {
    const found = this.log.find(matches);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      if (this.#exit !== undefined) {
        reject(this.#gone());
        return;
      }
      this.#waiters.add({ matches, resolve, reject });
    });
  }

  /** The same, of the lines to come. */
  loggedNext(matches: (line: LogLine) => boolean): Promise<LogLine> {
    const past = new Set(this.log);
    return this.logged((line) => !past.has(line) && matches(line));
  }

  ready(): Promise<LogLine> {
    return this.logged(({ msg }) => msg === "ready");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, and how it ended. */
  stop(): Promise<Exit> {
    this.signal("SIGTERM");
    return this.exited;
  }

  /** SIGKILL: no handler runs, no buffer is flushed. */
  kill(): Promise<Exit> {
    this.signal("SIGKILL");
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) await this.kill();
  }

  #take(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#note(parseLine(line));
  }

  #note(line: LogLine): void {
    this.log.push(line);
    for (const waiter of this.#waiters) {
      if (waiter.matches(line)) {
        this.#waiters.delete(waiter);
        waiter.resolve(line);
      }
    }
  }

  #ended(exit: Exit, cause?: Error): void {
    if (this.#partial !== "") this.#note(parseLine(this.#partial));
    this.#partial = "";
    this.#exit = exit;
    running.delete(this.#child);
    for (const waiter of this.#waiters) waiter.reject(this.#gone(cause));
    this.#waiters.clear();
  }

  #gone(cause?: Error): Error {
    const how = `code ${this.#exit?.code ?? "none"}, signal ${this.#exit?.signal ?? "none"}`;
    const tail = this.log.slice(-5).map(({ text }) => text);
    return new Error([`${this.name} has ended (${how})`, ...tail].join("\n  "), { cause });
  }
}

function parseLine(text: string): LogLine {
  try {
    const { level, msg, ...fields } = JSON.parse(text) as { level: number; msg: string };
    return { level, msg, fields, text };
  } catch {
    return { level: LOG_LEVEL_ERROR, msg: text, fields: {}, text };
  }
}
