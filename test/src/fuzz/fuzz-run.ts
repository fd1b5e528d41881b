import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { processUsage } from "../bench/process-usage.ts";
import { Prng } from "../corpus/prng.ts";
import { accountForLines } from "../kill/line-account.ts";
import { LogWriter } from "../log-writer.ts";
import { NumberedLines } from "../numbered-lines.ts";
import { LOG_LEVEL_ERROR, type ServiceProcess } from "../process.ts";
import { Site } from "../site.ts";
import { StoredData } from "../stored.ts";
import { IdleProcess } from "./idle-process.ts";
import { HostileAgent, type HostileTally, type HostileTarget } from "./hostile-agent.ts";
import { RawPeer, type RawTally } from "./raw-peer.ts";

export interface FuzzRun {
  readonly frames: number;
  readonly strings: number;
  readonly seed: number;
}

export interface FuzzOutcome {
  /** What is wrong, in sentences. */
  readonly problems: readonly string[];
  readonly hostile: HostileTally;
  readonly raw: RawTally;
  readonly seconds: number;
  readonly peakRssMiB: number;
  /** How late the collector's event loop was: from its own /metrics. */
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  /** The same of a process that did nothing meanwhile: what the machine's other work makes of it. */
  readonly idleP99Ms: number;
  /** Lines of the healthy agent, and the longest time in which none of them was stored. */
  readonly lines: number;
  readonly longestWaitMs: number;
}

const HOSTILE_AGENTS = 32;
const RAW_PEERS = 24;

const MOST_RSS_MIB = 300;
const MOST_LOOP_P99_MS = 50;
/** Lines come all the time, and a commit takes its 25 ms: this much is a collector that has no time. */
const MOST_WAIT_MS = 5_000;

const BLOCK_LINES = 50;
const BLOCK_MS = 250;
const LOOK_EVERY_MS = 100;

/**
 * Hostile agents and raw peers against a running collector, beside a healthy agent whose lines must
 * not notice. Memory and processor of the collector are those of the command that users start.
 */
export async function runFuzz({ frames, strings, seed }: FuzzRun): Promise<FuzzOutcome> {
  await using site = new Site();
  // As `sluice serve` is started.
  const wrapper = ["env", "MALLOC_ARENA_MAX=2", "MALLOC_MMAP_THRESHOLD_=131072"];
  const { collector, port } = await site.startCollector({ wrapper });
  using writer = new LogWriter({
    path: join(site.logDir, "healthy.log"),
    lines: new NumberedLines(0, 100),
    random: new Prng(seed),
    rotateEvery: Number.POSITIVE_INFINITY,
  });
  const agent = await site.startAgent({ port, files: [writer.path] });
  await writer.write(BLOCK_LINES, 0);
  await site.untilStored(BLOCK_LINES);

  const url = `http://127.0.0.1:${port}`;
  const token = await readToken(site, "ingest");
  const hostile: HostileTally = {
    frames: 0,
    connections: 0,
    answers: new Map(),
    closes: new Map(),
  };
  const raw: RawTally = { strings: 0, replies: new Map() };
  let isOver = false;
  const progress = new HealthyProgress(site, writer.path);
  const healthy = writeUntil(writer, () => isOver);
  const watching = progress.watch(() => isOver);
  await loopDelay(site, url); // from here on
  await using idle = new IdleProcess();
  const startedMs = performance.now();
  const target = (i: number): HostileTarget => ({ url, token, address: `127.0.1.${i + 1}` });
  try {
    await Promise.all([
      ...peers(HOSTILE_AGENTS, (i) =>
        new HostileAgent(target(i), new Prng(seed * 1000 + i), hostile).run(
          () => hostile.frames < frames && collector.isRunning,
        ),
      ),
      ...peers(RAW_PEERS, (i) =>
        new RawPeer(target(100 + i), new Prng(seed * 1000 + 500 + i), raw).run(
          () => raw.strings < strings && collector.isRunning,
        ),
      ),
    ]);
  } finally {
    isOver = true;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  if (!collector.isRunning) throw new Error(`the collector has ended\n${site.logTails()}`);
  const loop = await loopDelay(site, url);
  const idleP99Ms = await idle.loopP99Ms();
  await Promise.all([healthy, watching]);
  const peakRssMiB = processUsage(collector.pid).peakRssBytes / 2 ** 20;
  return {
    problems: [
      ...(await healthyProblems(site, port, writer)),
      ...disturbances(agent, collector),
      ...above("RSS of the collector, MiB", peakRssMiB, MOST_RSS_MIB),
      ...above("event loop p99, ms", loop.p99Ms, MOST_LOOP_P99_MS),
      ...above("time without a line of the healthy agent, ms", progress.longestMs, MOST_WAIT_MS),
    ],
    hostile,
    raw,
    seconds,
    peakRssMiB,
    loopP99Ms: loop.p99Ms,
    loopMaxMs: loop.maxMs,
    idleP99Ms,
    lines: writer.written,
    longestWaitMs: progress.longestMs,
  };
}

/** Looks from outside at when lines of a source were last stored. */
class HealthyProgress {
  readonly #site: Site;
  readonly #source: string;
  longestMs = 0;

  constructor(site: Site, source: string) {
    this.#site = site;
    this.#source = source;
  }

  async watch(isOver: () => boolean): Promise<void> {
    let stored = this.#stored();
    let sinceMs = performance.now();
    while (!isOver()) {
      await delay(LOOK_EVERY_MS);
      const now = this.#stored();
      this.longestMs = Math.max(this.longestMs, performance.now() - sinceMs);
      if (now > stored) {
        stored = now;
        sinceMs = performance.now();
      }
    }
  }

  #stored(): number {
    using data = StoredData.open(this.#site.dataDir);
    return data.streams().find(({ source }) => source === this.#source)?.records ?? 0;
  }
}

async function healthyProblems(site: Site, port: number, writer: LogWriter): Promise<string[]> {
  const endMs = performance.now() + 30_000;
  for (;;) {
    using data = StoredData.open(site.dataDir);
    const stream = data.streams().find(({ source }) => source === writer.path);
    if ((stream?.records ?? 0) >= writer.written || performance.now() > endMs) break;
    await delay(LOOK_EVERY_MS);
  }
  // Compaction may have taken batches out of the head: what is stored is asked for as users do.
  const answer = await site.sluice(
    "query",
    `source:${JSON.stringify(writer.path)}`,
    "--all",
    "--order",
    "stream",
    "-o",
    "raw",
    ...site.asking(port),
  );
  const lines = Buffer.from(answer.stdout, "latin1");
  return accountForLines(writer.path, [splitLines(lines)], writer.lines, writer.written);
}

function splitLines(text: Buffer): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < text.length;) {
    const end = text.indexOf(0x0a, from);
    lines.push(text.subarray(from, end + 1));
    from = end + 1;
  }
  return lines;
}

function disturbances(agent: ServiceProcess, collector: ServiceProcess): string[] {
  const lost = agent.log.filter(({ msg }) => msg.startsWith("not connected"));
  const errors = collector.log.filter(({ level }) => level >= LOG_LEVEL_ERROR);
  return [
    ...lost.map(({ text }) => `the healthy agent lost its connection: ${text}`),
    ...errors.slice(0, 5).map(({ text }) => `the collector logged an error: ${text}`),
  ];
}

function above(what: string, value: number, most: number): string[] {
  return value <= most ? [] : [`${what}: ${value.toFixed(1)}, above ${most}`];
}

function peers(count: number, run: (i: number) => Promise<void>): Promise<void>[] {
  return Array.from({ length: count }, (_, i) => run(i));
}

async function writeUntil(writer: LogWriter, isOver: () => boolean): Promise<void> {
  while (!isOver()) await writer.write(BLOCK_LINES, BLOCK_MS);
}

async function readToken(site: Site, scope: "ingest" | "query"): Promise<string> {
  return (await readFile(join(site.dataDir, "tokens", `${scope}.token`), "utf8")).trim();
}

/** How late the event loop was since the last call. */
async function loopDelay(
  site: Site,
  url: string,
): Promise<{ readonly p99Ms: number; readonly maxMs: number }> {
  const authorization = `Bearer ${await readToken(site, "query")}`;
  const answer = await fetch(`${url}/metrics`, { headers: { authorization } });
  const text = await answer.text();
  const late = (quantile: string): number =>
    1000 *
    Number(
      new RegExp(`^sluice_event_loop_delay_seconds\\{quantile="${quantile}"\\} (\\S+)$`, "m").exec(
        text,
      )?.[1],
    );
  return { p99Ms: late("0.99"), maxMs: late("1") };
}
