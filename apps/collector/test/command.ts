import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";

/** The command line straight from its sources. */
const MAIN = `import(${JSON.stringify(new URL("../src/main.ts", import.meta.url))})
  .then(({ main }) => main(["node", "sluice", ...process.argv.slice(1)]))`;

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
    const flags = ["--eval", MAIN, "--"];
    this.child = spawn(process.execPath, [...flags, ...args], { env: { ...ENV, ...env } });
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
