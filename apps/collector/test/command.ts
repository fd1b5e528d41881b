import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The command line as it is shipped; from its sources it would take a second longer to start. */
const PROGRAM = fileURLToPath(new URL("../dist/sluice.cjs", import.meta.url));

/** Nothing of the machine that runs the test: no context, no token, no colours. */
const ENV = {
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  TZ: "UTC",
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
};

export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** `sluice` as a process, its output kept. */
export class RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #stdout: Buffer[] = [];
  #stderr = "";
  readonly #closed: Promise<unknown>;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...ENV, ...env } });
    this.child.stdin.end();
    this.child.stdout.on("data", (chunk: Buffer) => this.#stdout.push(chunk));
    this.child.stderr.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#closed = once(this.child, "close");
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  /** Waits until what was written so far to either stream holds a text. */
  async until(text: string): Promise<void> {
    while (!this.stdout.includes(text) && !this.#stderr.includes(text)) {
      await Promise.race([
        once(this.child.stdout, "data"),
        once(this.child.stderr, "data"),
        this.#closed.then(() => {
          throw new Error(`ended before it said "${text}": ${this.#stderr}`);
        }),
      ]);
    }
  }

  async ended(): Promise<Outcome> {
    await this.#closed;
    return { code: this.child.exitCode, stdout: this.stdout, stderr: this.#stderr };
  }
}

export async function run(...args: readonly string[]): Promise<Outcome> {
  return new RunningCommand(args).ended();
}
