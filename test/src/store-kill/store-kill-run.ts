import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Prng } from "../corpus/prng.ts";
import type { Product } from "../product.ts";
import { Expectation } from "./expectation.ts";
import { lookAtBackups } from "./store-backups.ts";
import { lookAt, segmentFiles } from "./store-look.ts";
import { StoreProcess } from "./store-process.ts";
import type { JobKind, WorkerReport } from "./worker-messages.ts";

export interface StoreKillPlan {
  readonly product: Product;
  readonly seed: number;
  readonly kills: number;
}

/** What a kill met: a job, only lines that came in, or a store that was being opened. */
type UnderWay = JobKind | "none" | "opening";

export interface StoreKillReport {
  readonly kills: ReadonlyMap<UnderWay, number>;
  /** Kills that left an unfinished segment. */
  readonly unfinished: number;
  /** Kills that left whole segments which the next start removed. */
  readonly leftOver: number;
  /** Whole ones that were examined. */
  readonly backups: number;
  readonly acked: number;
  readonly jobs: number;
  readonly seconds: number;
  /** What contradicts the guarantee, in sentences. */
  readonly problems: readonly string[];
}

/** Which job a kill is meant for, in turn: those that take files in and out most often. */
const TARGETS: readonly JobKind[] = [
  "compact",
  "remove-deleted",
  "backup",
  "prune",
  "delete",
  "compact",
  "backup",
  "remove-deleted",
  "checkpoint",
];

/** What is carried out to its end before, so that the target finds its effects. */
const WHOLE_JOBS: readonly JobKind[] = ["prune", "delete", "backup", "prune", "remove-deleted"];

/** So long a job is taken to run until one was seen to end. */
const FIRST_GUESS_MS: Readonly<Record<JobKind, number>> = {
  compact: 500,
  "remove-deleted": 300,
  prune: 60,
  delete: 10,
  checkpoint: 20,
  backup: 300,
};

/** Every so many kills meet a store that is being opened on what the one before has left. */
const OPENING_EVERY = 8;
const FIRST_OPENING_MS = 400;

/** Most kills are to fall into the job that they are meant for, some right behind it. */
const SPREAD = 1.2;

/** A process whose jobs take longer than this is stuck. */
const STALL_MS = 60_000;

/** Kills a store in the middle of its jobs, again and again on one folder, and looks at what is left of it. */
export async function runStoreKills(plan: StoreKillPlan): Promise<StoreKillReport> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-store-kill-"));
  const startMs = performance.now();
  const run = new StoreKillRun(plan, join(folder, "data"));
  try {
    await run.carryOut();
  } catch (error) {
    run.problems.push(String((error as Error).stack));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { kills, unfinished, leftOver, backups, acked, jobs, problems } = run;
  const seconds = (performance.now() - startMs) / 1000;
  return { kills, unfinished, leftOver, backups, acked, jobs, seconds, problems };
}

class StoreKillRun {
  readonly kills = new Map<UnderWay, number>();
  readonly problems: string[] = [];
  unfinished = 0;
  leftOver = 0;
  backups = 0;
  acked = 0;
  jobs = 0;
  readonly #plan: StoreKillPlan;
  readonly #dataDir: string;
  readonly #random: Prng;
  readonly #expectation = new Expectation();
  readonly #tookMs = new Map<JobKind, number>();
  #openingMs = FIRST_OPENING_MS;
  readonly #promised: string[] = [];
  #underWay: { readonly job: JobKind; readonly sinceMs: number } | undefined;

  constructor(plan: StoreKillPlan, dataDir: string) {
    this.#plan = plan;
    this.#dataDir = dataDir;
    this.#random = new Prng(plan.seed);
  }

  async carryOut(): Promise<void> {
    for (let kill = 0; kill <= this.#plan.kills; kill++) {
      if (kill % OPENING_EVERY === OPENING_EVERY - 1) {
        await this.#killWhileOpening(kill++);
      }
      const before = segmentFiles(this.#dataDir);
      await using worker = this.#start(kill);
      const startedMs = performance.now();
      await this.#within(worker.next("opened"), "the store does not open");
      this.#openingMs = 0.7 * this.#openingMs + 0.3 * (performance.now() - startedMs);
      const after = new Set(segmentFiles(this.#dataDir));
      const gone = before.filter((file) => !after.has(file));
      this.unfinished += gone.some((file) => file.endsWith(".tmp")) ? 1 : 0;
      this.leftOver += gone.some((file) => !file.endsWith(".tmp")) ? 1 : 0;
      const { seen, problems } = await lookAt(this.#dataDir);
      problems.push(...(await this.#lookAtBackups()));
      const found = [...problems, ...this.#expectation.compare(seen, Date.now())];
      this.problems.push(...found.map((problem) => `after kill ${kill}: ${problem}`));
      if (this.problems.length > 0) {
        return; // What follows from a wrong state says nothing new.
      }
      if (kill >= this.#plan.kills) {
        await worker.close();
        return;
      }
      await this.#killWhileIn(worker, TARGETS[kill % TARGETS.length] as JobKind);
    }
  }

  /** Those that somebody was told of are there. Each is looked at once. */
  async #lookAtBackups(): Promise<string[]> {
    const { paths, problems } = await lookAtBackups(this.#dataDir);
    this.backups += paths.length;
    const gone = this.#promised.splice(0).filter((path) => !paths.includes(path));
    return [...problems, ...gone.map((path) => `a backup is gone: ${path}`)];
  }

  #start(kill: number): StoreProcess {
    this.#underWay = undefined;
    const { product, seed } = this.#plan;
    const start = { product, dataDir: this.#dataDir, seed: seed * 1_000_003 + kill };
    return new StoreProcess(start, (report) => this.#take(report));
  }

  async #killWhileIn(worker: StoreProcess, job: JobKind): Promise<void> {
    const { visibility } = this.#expectation;
    if (visibility !== undefined) {
      await worker.carryOut({ kind: "retention", visibility });
    }
    // Something to do for the job, and in many a life one that ends.
    await worker.carryOut({ kind: "append", batches: this.#random.below(60) });
    if (this.#random.below(2) === 0) {
      const before = WHOLE_JOBS[this.#random.below(WHOLE_JOBS.length)] as JobKind;
      await this.#within(worker.carryOut({ kind: "job", job: before }), `no end of ${before}`);
    }
    const begun = worker.next("begun", (report) => report.job === job);
    worker.send({ kind: "run", first: job });
    await this.#within(begun, `no ${job} begins`);
    await delay(this.#random.below(SPREAD * (this.#tookMs.get(job) ?? FIRST_GUESS_MS[job])));
    await worker.kill();
    this.#count(this.#underWay?.job ?? "none");
  }

  async #killWhileOpening(kill: number): Promise<void> {
    await using worker = this.#start(kill);
    await delay(this.#random.below(this.#openingMs));
    await worker.kill();
    this.#count("opening");
  }

  #count(met: UnderWay): void {
    this.kills.set(met, (this.kills.get(met) ?? 0) + 1);
  }

  #take(report: WorkerReport): void {
    this.#expectation.take(report);
    switch (report.kind) {
      case "acked":
        this.acked += 1;
        return;
      case "begun":
        this.#underWay = { job: report.job, sinceMs: performance.now() };
        return;
      case "ended": {
        const { job, sinceMs = performance.now() } = {
          sinceMs: this.#underWay?.sinceMs,
          ...report,
        };
        const before = this.#tookMs.get(job) ?? FIRST_GUESS_MS[job];
        this.#tookMs.set(job, 0.7 * before + 0.3 * (performance.now() - sinceMs));
        this.#underWay = undefined;
        this.#promised.push(...(report.backup === undefined ? [] : [report.backup]));
        this.jobs += 1;
        return;
      }
      case "trouble":
        this.problems.push(`the store: ${report.text}`);
        return;
      default:
    }
  }

  async #within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
    const abort = new AbortController();
    const timeUp = delay(STALL_MS, undefined, { signal: abort.signal }).then(() => {
      throw new Error(`${otherwise} within ${STALL_MS} ms`);
    });
    timeUp.catch(() => undefined);
    try {
      return await Promise.race([promise, timeUp]);
    } finally {
      abort.abort();
    }
  }
}
