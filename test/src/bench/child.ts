import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A Node process of the benchmark; `ready` is the line that says it can be measured. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #errors: string[] = [];

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** @throws Error with the process's own output where it ends before it is ready */
  static start(args: readonly string[]): Promise<Child> {
    return Child.#start(process.execPath, args);
  }

  /** A program of its own, which becomes a Node process. */
  static startProgram(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Child> {
    return Child.#start(program, args, env);
  }

  static async #start(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Child> {
    const spawned = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "pipe"],
    });
    const child = new Child(spawned);
    const ready = Promise.withResolvers<void>();
    const lines = createInterface({ input: spawned.stderr });
    lines.on("line", (line) => {
      child.#errors.push(line);
      if (line.includes('"msg":"ready"')) {
        ready.resolve();
      }
    });
    spawned.once("exit", () => ready.reject(new Error(child.#errors.join("\n"))));
    await ready.promise;
    return child;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) {
      this.#process.kill("SIGTERM");
      await once(this.#process, "exit");
    }
  }
}
