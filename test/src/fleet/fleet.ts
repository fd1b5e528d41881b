import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

import { processUsage } from "../bench/process-usage.ts";
import type { FleetMark, FleetOrder, FleetRequest } from "./fleet-messages.ts";

/** As many as the machine has processors to spare for them. */
const PROCESSES = 2;

/** Under `pnpm bench` this file is built, under `pnpm faults` it is not: the process is what it is. */
const PROCESS = new URL(
  import.meta.url.endsWith(".ts") ? "./fleet-process.ts" : "./fleet-process.js",
  import.meta.url,
);

/** Light agents in processes of their own. */
export class Fleet implements AsyncDisposable {
  readonly agents: number;
  readonly #processes: readonly ChildProcess[];

  constructor(agents: number, target: { readonly url: string; readonly token: string }) {
    this.agents = agents;
    this.#processes = Array.from({ length: PROCESSES }, (_, i) => {
      const from = Math.round((agents * i) / PROCESSES);
      const order: FleetOrder = { ...target, from, to: Math.round((agents * (i + 1)) / PROCESSES) };
      return fork(PROCESS, [JSON.stringify(order)], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
    });
  }

  get cpuSeconds(): number {
    return this.#processes.reduce((sum, { pid }) => sum + processUsage(pid ?? 0).cpuSeconds, 0);
  }

  /** What has been since the last mark, over all processes. */
  async mark(): Promise<FleetMark> {
    const marks = await Promise.all(
      this.#processes.map(async (child) => {
        const [mark] = await this.#ask(child, "mark");
        return mark as FleetMark;
      }),
    );
    const sum = (of: (mark: FleetMark) => number): number =>
      marks.reduce((total, mark) => total + of(mark), 0);
    return {
      written: sum(({ written }) => written),
      open: sum(({ open }) => open),
      unacked: sum(({ unacked }) => unacked),
      rawBytes: sum(({ rawBytes }) => rawBytes),
      ackMs: marks.flatMap(({ ackMs }) => ackMs),
      attempts: marks.flatMap(({ attempts }) => attempts),
    };
  }

  /** No agent writes another line. */
  stopWriting(): void {
    for (const child of this.#processes) child.send("stop" satisfies FleetRequest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }

  async #ask(child: ChildProcess, request: FleetRequest): Promise<unknown[]> {
    const answer = once(child, "message");
    child.send(request);
    return answer;
  }
}

/** Of the attempts: the last few agents have waited longest, and would stretch the time to any length. */
const COUNTED_SHARE = 0.95;

/**
 * How many times the mean of a second the fullest second has, from the first of them until 95 % have
 * been. 1 where there are none.
 */
export function peakOverMean(allMs: readonly number[]): number {
  const timesMs = allMs.toSorted((a, b) => a - b).slice(0, Math.ceil(allMs.length * COUNTED_SHARE));
  const [first, last] = [timesMs[0] ?? 0, timesMs.at(-1) ?? 0];
  if (timesMs.length === 0) return 1;
  const seconds = Math.floor((last - first) / 1000) + 1;
  const counts = new Uint32Array(seconds);
  for (const timeMs of timesMs) {
    const second = Math.floor((timeMs - first) / 1000);
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return Math.max(...counts) / (timesMs.length / seconds);
}
