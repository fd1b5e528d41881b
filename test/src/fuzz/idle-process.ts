import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** Prints, when its stdin ends, how late its timers were at the 99th percentile, in nanoseconds. */
const PROGRAM = `
  const delay = require("node:perf_hooks").monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  process.stdin.resume().on("end", () => process.stdout.write(String(delay.percentile(99))));
`;

const INTERVAL_MS = 10;

/** A process that does nothing: how late its event loop is says how crowded the machine is. */
export class IdleProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor() {
    const stdio = ["pipe", "pipe", "inherit"] as const;
    this.#child = spawn(process.execPath, ["-e", PROGRAM], { stdio: [...stdio] });
  }

  /** Ends it; how late it was since it began. */
  async loopP99Ms(): Promise<number> {
    const { stdin, stdout } = this.#child;
    const printed = stdout === null ? "" : text(stdout);
    stdin?.end();
    return Math.max(0, Number(await printed) / 1e6 - INTERVAL_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
  }
}
