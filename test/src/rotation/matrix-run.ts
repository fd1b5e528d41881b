import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Prng } from "../corpus/prng.ts";
import { eventually } from "../eventually.ts";
import { LOG_LEVEL_ERROR, type ServiceProcess } from "../process.ts";
import type { Product } from "../product.ts";
import { Site } from "../site.ts";
import type { StoredData } from "../stored.ts";
import { STALL_MS, untilNothingIsLeft } from "../stored-progress.ts";
import { type Account, accountForBytes } from "./byte-account.ts";
import { type Condition, createCells, type MatrixCell, type MatrixPlan } from "./matrix-cell.ts";
import { LateWrites } from "./late-writes.ts";
import { type Fate, RotatedLog } from "./rotated-log.ts";
import { destroys, stepsOf } from "./rotation-operation.ts";
import { type StoredGeneration, storedGenerations } from "./stored-generations.ts";

/** Until a kill, at most, from the step before it. */
const KILL_WITHIN_MS = 40;

/** Rotations of what is kept while the agent is down: older siblings move on with each. */
const ROTATIONS_WHILE_DOWN = 3;

export interface MatrixOptions {
  readonly product: Product;
  readonly plan: MatrixPlan;
  readonly seed: number;
}

interface CellVerdict {
  readonly cell: MatrixCell;
  readonly account: Account;
}

export interface MatrixReport {
  readonly verdicts: readonly CellVerdict[];
  readonly kills: number;
  readonly seconds: number;
  /** What went wrong beside the cells, such as an error that was logged. */
  readonly problems: readonly string[];
}

/** Puts a site's logs through every cell of the matrix at once, and accounts for each of them. */
export async function runRotationMatrix(options: MatrixOptions): Promise<MatrixReport> {
  const startMs = performance.now();
  await using site = new Site(options.product);
  const run = await MatrixRun.start(options, site);
  const problems: string[] = [];
  try {
    await run.carryOut();
  } catch (error) {
    problems.push(`${(error as Error).message}\n${site.logTails()}`);
  }
  await run.stop();
  for (const { name, log } of site.services) {
    const errors = log.filter(({ level }) => level >= LOG_LEVEL_ERROR);
    problems.push(...errors.map(({ text }) => `the ${name} logged: ${text.slice(0, 400)}`));
  }
  const seconds = (performance.now() - startMs) / 1000;
  return { verdicts: await run.verdicts(), kills: run.kills, seconds, problems };
}

class MatrixRun {
  readonly #site: Site;
  readonly #random: Prng;
  readonly #cells: readonly MatrixCell[];
  readonly #port: number;
  #collector: ServiceProcess;
  #agent: ServiceProcess;
  /** Cells that did not come as far as they were waited for, and what they did not come to. */
  readonly #stuck = new Map<MatrixCell, string>();
  #marks = 0;
  kills = 0;

  private constructor(
    { seed }: MatrixOptions,
    site: Site,
    cells: readonly MatrixCell[],
    port: number,
    collector: ServiceProcess,
    agent: ServiceProcess,
  ) {
    this.#site = site;
    this.#random = new Prng(seed);
    this.#cells = cells;
    this.#port = port;
    this.#collector = collector;
    this.#agent = agent;
  }

  static async start(options: MatrixOptions, site: Site): Promise<MatrixRun> {
    const cells = createCells(options.plan, site.logDir);
    for (const { log } of cells) log.append();
    const { collector, port } = await site.startCollector();
    const agent = await site.startAgent({ port, files: globsOf(site) });
    return new MatrixRun(options, site, cells, port, collector, agent);
  }

  async carryOut(): Promise<void> {
    await this.#drained();
    await this.#whileUp();
    await this.#whileDown();
    await this.#whileKilled();
    await this.#finished(this.#cells);
    await this.#looked();
    await this.#drained();
  }

  /** Ends both in good order, the agent first. */
  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#collector.stop();
    for (const { log } of this.#cells) log.close();
  }

  /** Of each cell; both are stopped. */
  async verdicts(): Promise<CellVerdict[]> {
    const { product, dataDir } = this.#site;
    const cells = new Map(this.#cells.map((cell) => [cell.log.path, cell]));
    const accounts = new Map<MatrixCell, Account>();
    const late = new LateWrites(this.#site.services);
    for await (const { source, generations } of storedGenerations(product, dataDir)) {
      const cell = cells.get(source);
      const written = late.sort(source, generations);
      if (cell !== undefined) accounts.set(cell, accountFor(cell.log, written));
    }
    return this.#cells.map((cell) => {
      const account = accounts.get(cell) ?? accountFor(cell.log, []);
      const stuck = this.#stuck.get(cell);
      const problems = [...account.problems, ...(stuck === undefined ? [] : [stuck])];
      return { cell, account: { ...account, problems } };
    });
  }

  async #whileUp(): Promise<void> {
    const cells = this.#cellsOf("up");
    if (cells.length === 0) return;
    for (const cell of cells) for (const step of this.#steps(cell, "seen")) step();
    await this.#drained();
    const rest = cells.map((cell) => [...this.#steps(cell, "seen")]);
    for (const steps of rest) steps.shift()?.();
    // The agent sees what is not done yet: a file that is renamed and still written to, for one.
    await this.#looked();
    for (const steps of rest) for (const step of steps) step();
    await this.#drained();
    // Nothing is read while no collector takes it, and the agent goes on looking at its files.
    await this.#endCollector();
    for (const { log } of cells) log.append();
    await this.#looked();
    for (const cell of cells) for (const step of this.#steps(cell, "seen")) step();
    await this.#startCollector();
    await this.#drained();
    await this.#finished(cells);
  }

  async #whileDown(): Promise<void> {
    const cells = this.#cellsOf("down");
    if (cells.length === 0) return;
    await this.#agent.stop();
    for (const cell of cells) {
      cell.log.append();
      const rotations = destroys(cell.operation) ? 1 : ROTATIONS_WHILE_DOWN;
      for (let i = 0; i < rotations; i++) for (const step of this.#steps(cell, "unseen")) step();
    }
    await this.#startAgent();
    await this.#drained();
    // The agent knows files that it has not read, and they grow further while it is down.
    await this.#endCollector();
    for (const cell of cells) {
      for (const step of this.#steps(cell, "unseen")) step();
    }
    await this.#looked();
    await this.#agent.stop();
    for (const cell of cells) {
      cell.log.append();
      for (const step of this.#steps(cell, "unseen")) step();
    }
    await this.#startCollector();
    await this.#startAgent();
    await this.#drained();
  }

  /** Once before each step, and once behind the last one: a kill that all cells share. */
  async #whileKilled(): Promise<void> {
    const cells = this.#cellsOf("killed");
    const most = Math.max(0, ...cells.map((cell) => this.#steps(cell, "unseen").length + 1));
    for (let kill = 0; kill < most; kill++) {
      const rest = cells.map((cell) => {
        // What is destroyed before the kill was read: else nobody could say what was.
        if (kill === 0 || cell.operation !== "truncate and regrow") cell.log.append();
        return [...this.#steps(cell, "unseen")];
      });
      for (let step = 0; step < kill; step++) for (const steps of rest) steps.shift()?.();
      await delay(this.#random.below(KILL_WITHIN_MS));
      await this.#agent.kill();
      this.kills += 1;
      for (const steps of rest) for (const step of steps) step();
      await this.#startAgent();
      await this.#drained();
    }
  }

  #cellsOf(condition: Condition): MatrixCell[] {
    return this.#cells.filter((cell) => cell.condition === condition);
  }

  #steps({ operation, log }: MatrixCell, fate: Fate): readonly (() => void)[] {
    // A running agent reads what was deleted through its descriptor.
    return stepsOf(operation, log, operation === "delete" && fate === "seen" ? "kept" : fate);
  }

  async #startAgent(): Promise<void> {
    this.#agent = await this.#site.startAgent({ port: this.#port, files: globsOf(this.#site) });
  }

  /** In good order, or with a kill: what it has acknowledged is the same. */
  async #endCollector(): Promise<void> {
    await (this.#random.below(2) === 0 ? this.#collector.kill() : this.#collector.stop());
  }

  async #startCollector(): Promise<void> {
    const { collector } = await this.#site.startCollector({ port: this.#port });
    this.#collector = collector;
  }

  /**
   * Resolves when the agent has looked at everything that is there now: in its state, which is
   * written behind a scan that finds a new file, stands a file that was made just now.
   */
  async #looked(): Promise<void> {
    const mark = join(this.#site.logDir, `${this.#marks++}.mark`);
    writeFileSync(mark, "");
    const state = join(this.#site.stateDir, "state.json");
    await eventually(
      () => (readFileSync(state, "utf8").includes(mark) ? true : undefined),
      STALL_MS,
      () => `the agent has not looked\n${this.#site.logTails()}`,
    );
  }

  /** Resolves when everything is stored that must be. */
  #drained(): Promise<void> {
    return this.#until(this.#cells, "not all that can be read is stored", (log, data) => {
      const late = new LateWrites(this.#site.services);
      const own = data.streams().filter(({ source }) => source === log.path);
      const streams = late.sort(log.path, own);
      const records = streams.reduce((sum, stream) => sum + stream.records, 0);
      const kept = log.segments.filter(({ fate }) => fate === "kept");
      const due = kept.reduce((sum, segment) => sum + RotatedLog.records(segment), 0);
      return streams.at(-1)?.records === RotatedLog.records(log.current) && records >= due;
    });
  }

  /** Resolves when the end of each of their file objects but the last is stored. */
  #finished(cells: readonly MatrixCell[]): Promise<void> {
    return this.#until(cells, "its older generations are not finished", (log, data) => {
      return data.unfinished().get(log.path) === 1;
    });
  }

  /** Waits for as long as anything is still being stored; a cell that gets stuck is not waited for again. */
  async #until(
    cells: readonly MatrixCell[],
    otherwise: string,
    isDone: (log: RotatedLog, data: StoredData) => boolean,
  ): Promise<void> {
    const left = await untilNothingIsLeft(this.#site.dataDir, (data) =>
      cells.filter((cell) => !this.#stuck.has(cell) && !isDone(cell.log, data)),
    );
    for (const cell of left) this.#stuck.set(cell, otherwise);
  }
}

function accountFor(log: RotatedLog, generations: readonly StoredGeneration[]): Account {
  const segments = log.segments.map((segment) => ({
    fate: segment.fate,
    bytes: log.bytesOf(segment),
  }));
  return accountForBytes(segments, generations);
}

function globsOf(site: Site): readonly string[] {
  return [join(site.logDir, "*/app.log"), join(site.logDir, "*.mark")];
}
