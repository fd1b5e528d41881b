import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Fleet, peakOverMean } from "../fleet/fleet.ts";
import type { FleetMark } from "../fleet/fleet-messages.ts";
import { BenchSite } from "./bench-site.ts";
import { processUsage } from "./process-usage.ts";
import { quantile } from "./quantile.ts";
import type { Measurement, Report } from "./report.ts";
import { WalMeter } from "./wal-meter.ts";

const WAL_LOOK_MS = 5;
const SETTLED_WITHIN_MS = 120_000;
/** How long a collector stays away in a restart. */
const AWAY_MS = 1_000;

export interface FleetOptions {
  readonly agents: number;
  readonly restarts: number;
  readonly minutes: number;
}

/** Light agents with a line a second each on one collector; then the collector is restarted under them. */
export async function benchFleet({ agents, restarts, minutes }: FleetOptions): Promise<Report> {
  await using site = await BenchSite.create();
  await site.startCollector();
  const token = async (scope: string): Promise<string> =>
    (await readFile(join(site.dataDir, "tokens", `${scope}.token`), "utf8")).trim();
  const query = { authorization: `Bearer ${await token("query")}` };
  await using fleet = new Fleet(agents, { url: site.url, token: await token("ingest") });
  const measurements: Measurement[] = [];

  const connecting = performance.now();
  await settled(fleet);
  const connectSeconds = (performance.now() - connecting) / 1000;
  const seconds = minutes * 60;
  const before = { cpu: processUsage(site.collectorPid).cpuSeconds, fleet: fleet.cpuSeconds };
  await loopDelay(site.url, query);
  await fleet.mark();
  const walBytes = await walOf(join(site.dataDir, "head.db"), seconds * 1000);
  const { ackMs, rawBytes } = await fleet.mark();
  const usage = processUsage(site.collectorPid);
  const loop = await loopDelay(site.url, query);
  measurements.push({
    name: `${agents} agents, 1 line/s each`,
    "connected s": connectSeconds,
    "lines acked/s": ackMs.length / seconds,
    "ack p50 ms": quantile(ackMs, 0.5),
    "ack p99 ms": quantile(ackMs, 0.99),
    "collector RSS MiB": usage.rssBytes / 2 ** 20,
    "collector CPU %": (100 * (usage.cpuSeconds - before.cpu)) / seconds,
    "agents CPU %": (100 * (fleet.cpuSeconds - before.fleet)) / seconds,
    "loop p99 ms": loop,
    "WAL/raw": walBytes / rawBytes,
    "aim WAL/raw": 10,
  });

  for (let restart = 1; restart <= restarts; restart++) {
    await fleet.mark();
    await site.stopCollector();
    await sleep(AWAY_MS);
    await site.startCollector();
    const back = performance.now();
    const backMs = Date.now();
    const mark = await settled(fleet);
    const attempts = mark.attempts.filter((atMs) => atMs >= backMs);
    measurements.push({
      name: `restart ${restart}`,
      "connected s": (performance.now() - back) / 1000,
      attempts: attempts.length,
      "in vain before": mark.attempts.length - attempts.length,
      "peak/mean": peakOverMean(attempts),
      "aim peak/mean": 3,
      "ack p99 ms": quantile(mark.ackMs, 0.99),
      "collector RSS MiB": processUsage(site.collectorPid).peakRssBytes / 2 ** 20,
    });
  }
  fleet.stopWriting();
  const last = await settled(fleet, 0);
  const stats = (await (await fetch(`${site.url}/v1/agents`, { headers: query })).json()) as {
    readonly streams: readonly { readonly records: number }[];
  }[];
  const stored = stats
    .flatMap(({ streams }) => streams)
    .reduce((sum, { records }) => sum + records, 0);
  return {
    bench: `fleet: ${agents} light agents on one collector, for ${minutes} minutes and ${restarts} restarts`,
    setup: { agents, "lines written": last.written, "lines stored": stored },
    measurements,
    notes: [
      "Light agents: the protocol's session over ws, in two processes, from 16 loopback addresses.",
      "WAL/raw: bytes written to the WAL over bytes of the lines; peak/mean: of attempts to connect, by the second, from when it listens again until 95 % have come.",
      `restart: SIGTERM, ${AWAY_MS / 1000} s away, until every agent is back and nothing is unacknowledged.`,
    ],
  };
}

/** Lines of an agent that may wait while it writes: more, and the collector does not keep up. */
const MOST_WAITING = 4;

/** When every agent has its stream open and no more unacknowledged than `mostWaiting` lines. */
export async function settled(
  fleet: Fleet,
  mostWaiting: number = MOST_WAITING,
): Promise<FleetMark> {
  const endMs = performance.now() + SETTLED_WITHIN_MS;
  const ackMs: number[] = [];
  const attempts: number[] = [];
  for (;;) {
    const mark = await fleet.mark();
    for (const took of mark.ackMs) ackMs.push(took);
    for (const at of mark.attempts) attempts.push(at);
    if (mark.open === fleet.agents && mark.unacked <= mostWaiting * fleet.agents)
      return { ...mark, ackMs, attempts };
    if (performance.now() > endMs) {
      throw new Error(
        `${mark.open} of ${fleet.agents} agents are connected, ${mark.unacked} lines wait`,
      );
    }
    await sleep(100);
  }
}

/** Bytes written to the WAL in so long. */
async function walOf(headPath: string, forMs: number): Promise<number> {
  using wal = new WalMeter(headPath);
  wal.look();
  for (const startMs = performance.now(); performance.now() - startMs < forMs;) {
    await sleep(WAL_LOOK_MS);
    wal.look();
  }
  return wal.look();
}

/** How late the event loop of the collector was since the last call: its own 99th percentile, in ms. */
async function loopDelay(url: string, headers: Record<string, string>): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const [, seconds] =
    /^sluice_event_loop_delay_seconds\{quantile="0.99"\} (\S+)$/m.exec(text) ?? [];
  return 1000 * Number(seconds);
}
