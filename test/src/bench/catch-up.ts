import { appendFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openStoreReader } from "@sluice/store";

import { BenchSite } from "./bench-site.ts";
import { writeCorpus } from "./corpus-file.ts";
import { PacedWriter } from "./paced-writer.ts";
import { processUsage } from "./process-usage.ts";
import type { Report } from "./report.ts";
import { stampedLine, TailWatch } from "./tail-watch.ts";

const SEED = 1;
const LIVE_LINES_PER_SECOND = 20;
const AIM_MB_PER_SECOND = 120;
const AIM_LIVE_MS = 1_000;

/** How often the store is asked whether it has all of the backlog: the error of the time measured. */
const POLL_MS = 10;

export interface CatchUpOptions {
  readonly sizeBytes: number;
}

/** An agent that finds a large file to catch up with, while lines of another file go on coming in. */
export async function benchCatchUp({ sizeBytes }: CatchUpOptions): Promise<Report> {
  await using site = await BenchSite.create();
  const backlog = await writeCorpus(join(site.logDir, "aside/backlog"), sizeBytes, SEED);
  const live = join(site.logDir, "live.log");
  appendFileSync(live, "");
  await site.startCollector();
  await using reader = openStoreReader(site.dataDir);
  const agent = await site.startAgent(join(site.logDir, "*.log"));
  const poke = (): void => appendFileSync(live, stampedLine());
  await using tail = await TailWatch.start(site.tailCommand("source:*live.log"), poke);
  const source = join(site.logDir, "backlog.log");
  const stored = async (bytes: number): Promise<number> => {
    for (;;) {
      const now = reader.streams().find((stream) => stream.source === source)?.bytes ?? 0;
      if (now >= bytes) return now;
      site.check();
      await sleep(POLL_MS);
    }
  };
  tail.reset();
  await using writer = new PacedWriter([live], LIVE_LINES_PER_SECOND, stampedLine);
  await rename(backlog.file, source);
  // The agent looks for new files each second: what it takes to find this one is not its pace.
  const first = await stored(1);
  const startedMs = performance.now();
  await stored(backlog.bytes);
  const endedMs = performance.now();
  const lines = await writer.stop();
  const late = await tail.figures(lines);
  const { cpuSeconds, peakRssBytes } = processUsage(agent.pid);
  return {
    bench: "catchup: a backlog read, shipped and stored, while lines of another file come in",
    setup: { corpus: "syslog", bytes: backlog.bytes, lines: backlog.lines, seed: SEED },
    measurements: [
      {
        name: "sluice",
        seconds: (endedMs - startedMs) / 1000,
        "MB/s": (backlog.bytes - first) / 1e3 / (endedMs - startedMs),
        "aim MB/s": AIM_MB_PER_SECOND,
        "live lines": late["lines"] ?? 0,
        "live lines missing": late["lines missing"] ?? 0,
        "live p50 ms": late["p50 ms"] ?? Number.NaN,
        "live p99 ms": late["p99 ms"] ?? Number.NaN,
        "live max ms": late["max ms"] ?? Number.NaN,
        "aim live ms": AIM_LIVE_MS,
        "agent CPU s": cpuSeconds,
        "agent peak RSS MiB": peakRssBytes / 2 ** 20,
      },
    ],
    notes: [
      `Live: ${LIVE_LINES_PER_SECOND} lines a second of another file, from their write until \`sluice tail\` prints them.`,
      "The collector's own compaction, and the tail's reading, take their share of the same processors.",
    ],
  };
}
