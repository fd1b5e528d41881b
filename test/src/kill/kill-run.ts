import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ChaosProxy } from "../chaos/chaos-proxy.ts";
import { type Damage, damageMessage } from "../chaos/damage.ts";
import { Prng } from "../corpus/prng.ts";
import { eventually } from "../eventually.ts";
import { LogWriter } from "../log-writer.ts";
import { NumberedLines } from "../numbered-lines.ts";
import type { ServiceProcess } from "../process.ts";
import { Site } from "../site.ts";
import { StoredData } from "../stored.ts";
import { killAt } from "./kill-moment.ts";
import { type Episode, episodesOf, isBurst, type KillPlan, portionsOf } from "./kill-plan.ts";
import { findProblems } from "./kill-verdict.ts";

/** No traffic for this long means that the product is stuck: agents reconnect within seconds here. */
const STALL_MS = 30_000;

/** Time over which a portion of lines is written. */
const PORTION_MS = 600;
const BURST_MS = 100;

/** Messages that are to be right behind a damaged one, and the size of a victim. */
const DAMAGE = { behind: 3, minBytes: 16 * 1024, holdMs: 2_000 } as const;

export interface KillReport {
  readonly agentKills: number;
  readonly collectorKills: number;
  readonly rotations: number;
  readonly damages: readonly Damage[];
  readonly lines: number;
  readonly connections: number;
  readonly acks: number;
  /** Streams that were told to begin a new epoch, by reason. */
  readonly resets: ReadonlyMap<string, number>;
  readonly seconds: number;
  /** What contradicts the guarantee, in sentences. */
  readonly problems: readonly string[];
}

/** Kills, damages and rotates while lines are written; then compares what is stored with them. */
export async function runKillTest(plan: KillPlan): Promise<KillReport> {
  await using site = new Site(plan.product);
  const run = await KillRun.start(plan, site);
  await using proxy = run.proxy;
  const startMs = performance.now();
  const problems: string[] = [];
  try {
    await run.carryOut();
    await run.settle();
  } catch (error) {
    problems.push(`${(error as Error).message}\n${site.logTails()}`);
  }
  const { writers, damages } = run;
  await run.stop();
  problems.push(...(await findProblems({ site, writers, damages, traffic: proxy.traffic })));
  return {
    agentKills: run.kills.agent,
    collectorKills: run.kills.collector,
    rotations: writers.reduce((sum, { rotations }) => sum + rotations, 0),
    damages,
    lines: writers.reduce((sum, { written }) => sum + written, 0),
    connections: proxy.traffic.connections,
    acks: proxy.traffic.acks,
    resets: proxy.traffic.resets,
    seconds: (performance.now() - startMs) / 1000,
    problems,
  };
}

class KillRun {
  readonly proxy: ChaosProxy;
  readonly writers: readonly LogWriter[];
  readonly damages: Damage[] = [];
  readonly kills = { agent: 0, collector: 0 };
  readonly #plan: KillPlan;
  readonly #site: Site;
  readonly #random: Prng;
  #collector: ServiceProcess;
  #agent: ServiceProcess;

  private constructor(
    plan: KillPlan,
    site: Site,
    random: Prng,
    proxy: ChaosProxy,
    writers: readonly LogWriter[],
    collector: ServiceProcess,
    agent: ServiceProcess,
  ) {
    this.#plan = plan;
    this.#site = site;
    this.#random = random;
    this.proxy = proxy;
    this.writers = writers;
    this.#collector = collector;
    this.#agent = agent;
  }

  static async start(plan: KillPlan, site: Site): Promise<KillRun> {
    const random = new Prng(plan.seed);
    const { collector, port } = await site.startCollector();
    const proxy = await ChaosProxy.start(port);
    const writers = Array.from(
      { length: plan.files },
      (_, file) =>
        new LogWriter({
          path: join(site.logDir, `app-${file}.log`),
          lines: new NumberedLines(file, plan.meanLineBytes),
          random: new Prng(plan.seed + 1 + file),
          rotateEvery: plan.rotateEvery,
        }),
    );
    const files = writers.map(({ path }) => path);
    const agent = await site.startAgent({ port: proxy.port, files });
    return new KillRun(plan, site, random, proxy, writers, collector, agent);
  }

  async carryOut(): Promise<void> {
    const episodes = episodesOf(this.#plan, this.#random);
    const portions = portionsOf(this.#plan, episodes);
    for (const [index, episode] of episodes.entries()) {
      // What is held back and damaged must not have been doomed before.
      if (episode.kind === "damage") await this.proxy.liveLink();
      const event = this.#carryOut(episode);
      const overMs = isBurst(episode) ? BURST_MS : PORTION_MS;
      const writing = Promise.all(
        this.writers.map((writer) => writer.write(portions[index] ?? 0, overMs)),
      );
      await Promise.all([within(event, STALL_MS, describe(episode)), writing]);
    }
  }

  /** Waits until everything that was written is stored, or nothing moves any more. */
  async settle(): Promise<void> {
    const due = this.writers.reduce((sum, { written }) => sum + written, 0);
    let stored = -1;
    let movedMs = performance.now();
    await eventually(
      () => {
        using data = StoredData.open(this.#site.dataDir);
        const now = data.records();
        if (now !== stored) movedMs = performance.now();
        stored = now;
        if (stored < due && performance.now() - movedMs > STALL_MS) {
          throw new Error(`${stored} of ${due} lines are stored, and nothing moves any more`);
        }
        return stored >= due ? true : undefined;
      },
      10 * STALL_MS,
      () => `${stored} of ${due} lines are stored`,
    );
  }

  /** Ends both in good order, the agent first. */
  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#collector.stop();
    for (const writer of this.writers) writer[Symbol.dispose]();
  }

  async #carryOut(episode: Episode): Promise<void> {
    if (episode.kind === "damage") {
      this.damages.push(await damageMessage(this.proxy, { random: this.#random, ...DAMAGE }));
      // The next kill shall not hide what became of the messages behind it.
      await this.proxy.seen("ack");
      return;
    }
    const victim = episode.victim === "agent" ? this.#agent : this.#collector;
    await killAt(episode.moment, victim, this.proxy, this.#random);
    this.kills[episode.victim] += 1;
    // Often back at once; sometimes down while lines are written and files renamed.
    if (this.#random.below(3) === 0) await delay(PORTION_MS / 2);
    if (episode.victim === "agent") {
      const files = this.writers.map(({ path }) => path);
      this.#agent = await this.#site.startAgent({ port: this.proxy.port, files });
    } else {
      const { collector, port } = await this.#site.startCollector();
      this.#collector = collector;
      this.proxy.target = port;
    }
  }
}

function describe(episode: Episode): string {
  return episode.kind === "damage"
    ? "no message came that could be damaged"
    : `no moment came to kill the ${episode.victim} (${episode.moment})`;
}

async function within<T>(promise: Promise<T>, ms: number, otherwise: string): Promise<T> {
  const abort = new AbortController();
  const timeUp = delay(ms, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`${otherwise} within ${ms} ms`);
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    abort.abort();
    timeUp.catch(() => undefined);
  }
}
