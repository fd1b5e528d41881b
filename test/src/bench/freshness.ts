import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { BenchSite } from "./bench-site.ts";
import { PacedWriter } from "./paced-writer.ts";
import type { Measurement, Report } from "./report.ts";
import { stampedLine, TailWatch } from "./tail-watch.ts";

/** Lines a second, and the aim for 99 of 100 of them. */
const RATES = [
  { linesPerSecond: 1, aimMs: 150 },
  { linesPerSecond: 100, aimMs: 150 },
  { linesPerSecond: 10_000, aimMs: 300 },
];

/** How long a rate lasts before it counts. */
const WARM_UP_MS = 2_000;

export interface FreshnessOptions {
  /** All rates together. */
  readonly minutes: number;
}

/** From a line's write to its place in the output of `sluice tail`, through an agent and a collector. */
export async function benchFreshness({ minutes }: FreshnessOptions): Promise<Report> {
  await using site = await BenchSite.create();
  const file = join(site.logDir, "app.log");
  appendFileSync(file, "");
  await site.startCollector();
  await site.startAgent(file);
  const poke = (): void => appendFileSync(file, stampedLine());
  await using tail = await TailWatch.start(site.tailCommand("sent"), poke);
  const measurements: Measurement[] = [];
  for (const { linesPerSecond, aimMs } of RATES) {
    await measure(tail, file, linesPerSecond, WARM_UP_MS);
    measurements.push({
      name: `${linesPerSecond.toLocaleString("en")}/s`,
      ...(await measure(tail, file, linesPerSecond, (minutes * 60_000) / RATES.length)),
      "aim p99 ms": aimMs,
    });
    site.check();
  }
  return {
    bench: "freshness: a line written, until `sluice tail` prints it",
    setup: { "minutes for all rates": minutes },
    measurements,
    notes: [
      "One file, written every 5 ms; agent, collector and tail are processes of their own on this machine.",
      "At 1/s the 99th of 100 is the slowest but one at most: ask for more minutes to see more lines.",
    ],
  };
}

async function measure(
  tail: TailWatch,
  file: string,
  linesPerSecond: number,
  lastsMs: number,
): Promise<Record<string, number>> {
  tail.reset();
  await using writer = new PacedWriter([file], linesPerSecond, stampedLine);
  await sleep(lastsMs);
  return await tail.figures(await writer.stop());
}
