import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** A command that has hung is ended, and its result says so by its signal. */
const TIMEOUT_MS = 20_000;

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing of the machine's own configuration; what was compiled before need not be again. */
export const PLAIN_ENV: Readonly<Record<string, string | undefined>> = {
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
};

/** Runs a command to its end with nothing of the machine's own configuration in its way. */
export async function runCommand(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<CommandResult> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    env: { ...PLAIN_ENV, NO_COLOR: "1", ...env },
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  child.stdin?.on("error", () => undefined); // a command may end without reading what it is given
  child.stdin?.end(input);
  const exited = new Promise<Pick<CommandResult, "code" | "signal">>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const [exit, stdout, stderr] = await Promise.all([
    exited,
    text(child.stdout as Readable),
    text(child.stderr as Readable),
  ]);
  return { ...exit, stdout, stderr };
}
