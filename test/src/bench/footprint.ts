import { appendFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openStoreReader } from "@sluice/store";

import { BenchSite } from "./bench-site.ts";
import { PacedWriter } from "./paced-writer.ts";
import type { Measurement, Report } from "./report.ts";
import { Rsyslog } from "./rsyslog.ts";
import { stampedLine } from "./tail-watch.ts";
import { UsageSamples, type UsageFigures } from "./usage-samples.ts";

/** An outage of the collector that lasts so long is what the aims speak of. */
const FULL_MINUTES = 60;

const IDLE = { files: 20, aimRssMiB: 64 };
const BUSY = { linesPerSecond: 1_000, aimCpuPercent: 3 };
const OUTAGE = { files: 200, linesPerSecond: 2_000, aimRssMiB: 96 };

/** The shares of a full run that its steady parts take: 3 minutes each, and 20 for the slope. */
const SHORT_PART = 1 / 20;
const SLOPE_PART = 1 / 3;

/** Lines that one write of the outage's volume appends. */
const BLOCK_LINES = 1_000;

/** Plain syslog over TCP loses what is on its way when the connection breaks: nothing comes any more then. */
const SILENCE_MS = 10_000;

export interface FootprintOptions {
  /** Of the outage, by volume. */
  readonly minutes: number;
  /** Of a run whose steady parts last as long as this one's; by default they are shortened with the outage. */
  readonly steadyMinutes: number | undefined;
}

/** What the agent takes, beside rsyslog that forwards the same files at the same time. */
export async function benchFootprint(options: FootprintOptions): Promise<Report> {
  const { minutes, steadyMinutes = minutes } = options;
  const shortMs = steadyMinutes * 60_000 * SHORT_PART;
  const measurements: Measurement[] = [];
  {
    await using few = await Pair.start(IDLE.files);
    await few.forwarded();
    const idle = await few.phase(`idle, ${IDLE.files} files`, () => sleep(shortMs));
    measurements.push(...idle.map((one) => ({ ...one, "aim MiB": IDLE.aimRssMiB })));
    for (const files of [1, IDLE.files]) {
      const name = `${BUSY.linesPerSecond} lines/s, ${files === 1 ? "1 file" : `${files} files`}`;
      const busy = await few.phase(name, () => few.write(BUSY.linesPerSecond, shortMs, files));
      measurements.push(...busy.map((one) => ({ ...one, "aim CPU %": BUSY.aimCpuPercent })));
    }
    await few.forwarded();
  }
  await using many = await Pair.start(OUTAGE.files);
  await many.forwarded();
  const volume = minutes * 60 * OUTAGE.linesPerSecond;
  const outage = await many.phase(`outage, ${OUTAGE.files} files`, async () => {
    await many.breakLink();
    await many.writeAtOnce(volume);
    await sleep(shortMs);
  });
  const catchUp = await many.phase("catch-up", async () => {
    await many.mendLink();
    await many.write(OUTAGE.linesPerSecond, shortMs);
    await many.forwarded();
  });
  measurements.push(
    ...[...outage, ...catchUp].map((one) => ({ ...one, "aim MiB": OUTAGE.aimRssMiB })),
    ...(await many.phase(`${OUTAGE.linesPerSecond} lines/s after it`, () =>
      many.write(OUTAGE.linesPerSecond, steadyMinutes * 60_000 * SLOPE_PART),
    )),
  );
  await many.forwarded();
  measurements.push(...many.missing());
  return {
    bench: `agent: its footprint${shortened(Math.min(minutes, steadyMinutes))}`,
    setup: {
      "lines of the outage": volume,
      "minutes by volume": minutes,
      "minutes of a steady part": shortMs / 60_000,
      "minutes behind it": steadyMinutes * SLOPE_PART,
    },
    measurements,
    layout: "rows",
    notes: [
      "CPU: of one core; RSS: the largest of two samples a second; slope: of a line through them.",
      "own: what of the RSS is not code in files, which Node shares with whatever else runs on it.",
      "missing: below 0, lines that came twice.",
      "rsyslog forwards the same files over TCP to a sink that counts lines, which is gone for the outage as well.",
      "The volume of the outage is written as fast as the disk takes it; both then catch up under load.",
    ],
  };
}

function shortened(minutes: number): string {
  return minutes < FULL_MINUTES ? `, a run shortened to ${minutes} of ${FULL_MINUTES} minutes` : "";
}

/** The agent with its collector, and rsyslog with its sink, on the same files. */
class Pair implements AsyncDisposable {
  readonly #site: BenchSite;
  readonly #pids: ReadonlyMap<string, number>;
  readonly #rsyslog: Rsyslog;
  readonly #files: readonly string[];
  #written: number;
  #missing: readonly (readonly [string, number])[] = [];

  private constructor(
    site: BenchSite,
    agentPid: number,
    rsyslog: Rsyslog,
    files: readonly string[],
  ) {
    this.#site = site;
    this.#pids = new Map([
      ["sluice-agent", agentPid],
      ["rsyslogd", rsyslog.pid],
    ]);
    this.#rsyslog = rsyslog;
    this.#files = files;
    this.#written = files.length;
  }

  /** Each file has a line. */
  static async start(files: number): Promise<Pair> {
    const site = await BenchSite.create();
    const paths = Array.from({ length: files }, (_, i) => join(site.logDir, `app-${i}.log`));
    for (const path of paths) writeFileSync(path, stampedLine());
    await site.startCollector();
    const glob = join(site.logDir, "*.log");
    const agent = await site.startAgent(glob);
    const folder = join(site.logDir, "rsyslog");
    await mkdir(folder);
    return new Pair(site, agent.pid, await Rsyslog.start(folder, glob), paths);
  }

  /** Carries it out, and says what each of the two took meanwhile. */
  async phase(name: string, work: () => Promise<void>): Promise<Measurement[]> {
    const samples = [...this.#pids].map(([who, pid]) => ({ who, of: new UsageSamples(pid) }));
    try {
      await work();
      this.#site.check();
      return samples.map(({ who, of }) => ({ name: `${name}: ${who}`, ...rounded(of.figures()) }));
    } finally {
      samples.forEach(({ of }) => of[Symbol.dispose]());
    }
  }

  /** @param files so many of them; all where it is left out */
  async write(linesPerSecond: number, lastsMs: number, files?: number): Promise<void> {
    const paths = this.#files.slice(0, files);
    await using writer = new PacedWriter(paths, linesPerSecond, stampedLine);
    await sleep(lastsMs);
    this.#written += await writer.stop();
  }

  async writeAtOnce(lines: number): Promise<void> {
    for (let i = 0; i < lines; i += BLOCK_LINES) {
      const file = this.#files[(i / BLOCK_LINES) % this.#files.length] as string;
      const block = Math.min(BLOCK_LINES, lines - i);
      appendFileSync(file, Array.from({ length: block }, stampedLine).join(""));
      this.#written += block;
      await sleep(0);
    }
  }

  async breakLink(): Promise<void> {
    this.#rsyslog.pause();
    await this.#site.stopCollector();
  }

  async mendLink(): Promise<void> {
    await this.#rsyslog.resume();
    await this.#site.startCollector();
  }

  /** Waits until the agent has forwarded every line, and rsyslog too, or no more comes of it. */
  async forwarded(): Promise<void> {
    await using reader = openStoreReader(this.#site.dataDir);
    let received = -1;
    let heardMs = performance.now();
    for (;;) {
      const stored = reader.streams().reduce((sum, { records }) => sum + records, 0);
      if (this.#rsyslog.received > received) {
        heardMs = performance.now();
        ({ received } = this.#rsyslog);
      }
      const isSilent = performance.now() - heardMs > SILENCE_MS;
      if (stored >= this.#written && (received >= this.#written || isSilent)) {
        this.#missing = [
          ["sluice-agent", this.#written - stored],
          ["rsyslogd", this.#written - received],
        ];
        return;
      }
      this.#site.check();
      await sleep(100);
    }
  }

  /** Lines that had not come when it was waited for them last. */
  missing(): Measurement[] {
    return this.#missing.map(([who, lines]) => ({ name: `in the end: ${who}`, missing: lines }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rsyslog[Symbol.asyncDispose]();
    await this.#site[Symbol.asyncDispose]();
  }
}

function rounded({ cpuPercent, rssMiB, ownMiB, rssSlopeMiBPerMinute }: UsageFigures) {
  return {
    "CPU %": Number(cpuPercent.toFixed(1)),
    "RSS MiB": Number(rssMiB.toFixed(1)),
    "own MiB": Number(ownMiB.toFixed(1)),
    "slope MiB/min": Number(rssSlopeMiBPerMinute.toFixed(2)),
  };
}
