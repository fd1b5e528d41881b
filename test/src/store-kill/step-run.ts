import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { Product } from "../product.ts";
import { readTrace, type TracedCall } from "../system-trace.ts";
import { Expectation } from "./expectation.ts";
import { type NamedStep, placeOfStep } from "./named-steps.ts";
import { lookAtBackups } from "./store-backups.ts";
import { lookAt } from "./store-look.ts";
import { StoreProcess } from "./store-process.ts";
import type { JobKind, WorkerCommand } from "./worker-messages.ts";

export interface StepPlan {
  readonly product: Product;
  readonly seed: number;
  readonly steps: readonly NamedStep[];
}

export interface StepReport {
  readonly step: NamedStep;
  /** What contradicts the guarantee, or why the process did not die there. */
  readonly problems: readonly string[];
}

const CALLS = ["pwrite64", "fsync", "rename", "unlink", "link"] as const;

/** What is there before the job: a job's threads among it, or nothing could be attached to them. */
const BEFORE: Readonly<Record<JobKind, readonly WorkerCommand[]>> = {
  compact: [append(40), job("compact"), append(40)],
  prune: [append(20), job("compact"), append(300)],
  delete: [append(40), job("compact"), append(20)],
  "remove-deleted": [append(40), job("compact"), append(20), job("delete")],
  backup: [append(40), job("compact"), append(20)],
  checkpoint: [append(40)],
};

const WITHIN_MS = 30_000;

/** A job may take another turn at times: then the process is still there, or died elsewhere. */
const TRIES = 3;

/** Kills a store at each step, once, and looks at what is left of it. */
export async function runNamedSteps(
  { product, seed, steps }: StepPlan,
  done: (report: StepReport) => void,
): Promise<void> {
  const recordings = new Map<JobKind, Recording>();
  for (const step of steps) {
    let problems: readonly string[] = [];
    try {
      const recording = recordings.get(step.job) ?? (await record(product, seed, step.job));
      recordings.set(step.job, recording);
      const place = placeOfStep(step, recording.calls, recording.threads);
      problems = await tryStep(product, seed, step, place);
    } catch (error) {
      problems = [(error as Error).message];
    }
    done({ step, problems });
  }
}

async function tryStep(
  product: Product,
  seed: number,
  step: NamedStep,
  place: number,
): Promise<readonly string[]> {
  for (let tries = 1; ; tries++) {
    const { met, problems } = await killAt(product, seed, step, place);
    if (met === undefined || problems.length > 0) {
      return problems;
    }
    if (tries === TRIES) {
      return [met];
    }
  }
}

interface Recording {
  readonly calls: readonly TracedCall[];
  readonly threads: ReadonlyMap<number, string>;
}

/** Which calls a job makes, and in which thread. */
async function record(product: Product, seed: number, kind: JobKind): Promise<Recording> {
  await using place = new Place();
  await using worker = new StoreProcess({ product, seed, ...place.start }, () => undefined);
  await prepare(worker, kind);
  const threads = threadsOf(worker.pid);
  const strace = await attach(["-f", "-p", `${worker.pid}`], place.trace);
  await worker.carryOut({ kind: "job", job: kind });
  await strace.detach();
  return { calls: readTrace(place.trace), threads };
}

/** `met` says why it was not this step that it died at. */
async function killAt(
  product: Product,
  seed: number,
  step: NamedStep,
  place: number,
): Promise<{ readonly met: string | undefined; readonly problems: readonly string[] }> {
  await using here = new Place();
  const expectation = new Expectation();
  const start = { product, seed, ...here.start };
  await using worker = new StoreProcess(start, (report) => expectation.take(report));
  await prepare(worker, step.job);
  const thread = [...threadsOf(worker.pid)].find(([, name]) => name === step.thread)?.[0];
  const target = step.thread === "any" ? ["-f", "-p", `${worker.pid}`] : ["-p", `${thread}`];
  const inject = `inject=${step.call}:signal=KILL:when=${place}`;
  const strace = await attach([...target, "-e", inject], here.trace);
  worker.send({ kind: "job", job: step.job });
  await Promise.race([worker.ended, delay(WITHIN_MS, undefined, { ref: false })]);
  await strace.detach();
  const met = worker.hasEnded ? elsewhere(here.trace, step) : "it did not come to this step";
  await worker[Symbol.asyncDispose]();
  return { met, problems: await problemsOf(start, expectation) };
}

async function problemsOf(
  start: ConstructorParameters<typeof StoreProcess>[0],
  expectation: Expectation,
): Promise<string[]> {
  const problems: string[] = [];
  await using worker = new StoreProcess(start, (report) => {
    expectation.take(report);
    if (report.kind === "trouble") {
      problems.push(`the store: ${report.text}`);
    }
  });
  await worker.next("opened");
  const look = await lookAt(start.dataDir);
  const backups = await lookAtBackups(start.dataDir);
  problems.push(...look.problems, ...backups.problems);
  problems.push(...expectation.compare(look.seen, Date.now()));
  await worker.close();
  return problems;
}

async function prepare(worker: StoreProcess, kind: JobKind): Promise<void> {
  await worker.next("opened");
  for (const command of BEFORE[kind]) {
    await worker.carryOut(command);
  }
}

/** Whether the last call of the one that died is another than the step's; undefined where it is the one. */
function elsewhere(trace: string, { call, on }: NamedStep): string | undefined {
  const lines = readFileSync(trace, "latin1").split("\n");
  const died = lines.findLast((line) => /^(?:\d+ +)?\w+\(/.test(line) && !/\) += -?\d/.test(line));
  return died?.includes(`${call}(`) === true && on.test(died)
    ? undefined
    : `it died at another call: ${died?.slice(0, 200)}`;
}

class Place implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-step-"));
  readonly trace = join(this.#folder, "trace");

  get start(): { readonly dataDir: string } {
    return { dataDir: join(this.#folder, "data") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Names by id. */
function threadsOf(pid: number): Map<number, string> {
  return new Map(
    readdirSync(`/proc/${pid}/task`).map((id) => [
      Number(id),
      readFileSync(`/proc/${pid}/task/${id}/comm`, "latin1").trim(),
    ]),
  );
}

/** Resolves when every thread is traced. */
async function attach(args: readonly string[], file: string): Promise<{ detach(): Promise<void> }> {
  const filter = ["-y", "-s", "256", "-o", file, "-e", `trace=${CALLS.join(",")}`];
  const strace = spawn("strace", [...filter, "-e", "signal=none", ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => strace.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let text = "";
    strace.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (/attached/.test(text)) {
        resolve();
      }
    });
    strace.once("close", () => reject(new Error(`strace cannot attach: ${text}`)));
  });
  return {
    detach: async () => {
      strace.kill("SIGINT");
      await ended;
    },
  };
}

function append(batches: number): WorkerCommand {
  return { kind: "append", batches };
}

function job(kind: JobKind): WorkerCommand {
  return { kind: "job", job: kind };
}
