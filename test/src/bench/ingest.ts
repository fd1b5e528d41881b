import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openStoreReader } from "@sluice/store";
import Database from "better-sqlite3";

import { Child } from "./child.ts";
import { type CorpusFile, writeCorpus } from "./corpus-file.ts";
import { folderBytes } from "./folder-bytes.ts";
import { freePort } from "./free-port.ts";
import { processUsage } from "./process-usage.ts";
import type { Measurement, Report } from "./report.ts";

const SEED = 1;

/** How often the store is asked whether all of it is durable: the error of each time measured. */
const POLL_MS = 10;

/** The baseline, which nothing tells when it has everything, is done when nothing came for this long. */
const QUIET_MS = 3_000;

/** The built files that the packages' `bin` name. */
const AGENT = fileURLToPath(new URL("./sluice-agent.cjs", import.meta.resolve("@sluice/agent")));
const COLLECTOR = fileURLToPath(new URL("./bin.js", import.meta.resolve("@sluice/collector")));

export interface IngestOptions {
  readonly sizeBytes: number;
  readonly repeats: number;
  readonly withBaseline: boolean;
}

/** File -> durable in the collector, agent and collector as processes of their own. */
export async function benchIngest(options: IngestOptions): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    const corpus = await writeCorpus(join(folder, "logs/syslog"), options.sizeBytes, SEED);
    const measurements: Measurement[] = [];
    for (let i = 0; i < options.repeats; i++) {
      measurements.push(
        await measureSluice(join(folder, `sluice-${i}`), corpus, `sluice #${i + 1}`),
      );
    }
    if (options.withBaseline) {
      measurements.push(await measureNaive(join(folder, "naive"), corpus));
    }
    return {
      bench: "ingest: one file, tailed, shipped and stored durably",
      setup: { corpus: "syslog", bytes: corpus.bytes, lines: corpus.lines, seed: SEED },
      measurements,
      notes: [
        "MB/s: from the agent's start until the last line is committed and fsynced, Node's own start included.",
        "disk/raw: every file under data_dir after a checkpoint, over the bytes of the log.",
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measureSluice(
  folder: string,
  corpus: CorpusFile,
  name: string,
): Promise<Measurement> {
  const dataDir = join(folder, "data");
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  const config = join(folder, "agent.yaml");
  await writeFile(
    config,
    [
      `collector: ws://127.0.0.1:${port}`,
      `token_file: ${join(dataDir, "tokens", "ingest.token")}`,
      `state_dir: ${join(folder, "state")}`,
      `sources: [{file: ${corpus.file}, start: beginning}]`,
    ].join("\n"),
  );
  let figures: Measurement;
  {
    await using collector = await Child.start([
      COLLECTOR,
      "serve",
      "--listen",
      `127.0.0.1:${port}`,
      "--data-dir",
      dataDir,
    ]);
    await using reader = openStoreReader(dataDir);
    const startedMs = performance.now();
    await using agent = await Child.start([AGENT, "run", "--config", config]);
    const readyMs = performance.now();
    const stored = (): number => reader.streams().reduce((sum, stream) => sum + stream.bytes, 0);
    const lines = (): number => reader.streams().reduce((sum, stream) => sum + stream.records, 0);
    await until(() => stored() >= corpus.bytes, [agent, collector]);
    const endedMs = performance.now();
    figures = {
      name,
      ...rates(corpus, endedMs - startedMs),
      "MB/s once started": corpus.bytes / 1e3 / (endedMs - readyMs),
      "lines lost": corpus.lines - lines(),
      ...usage("agent", agent),
      ...usage("collector", collector),
    };
  }
  return { ...figures, "disk/raw": (await folderBytes(dataDir)) / corpus.bytes };
}

async function measureNaive(folder: string, corpus: CorpusFile): Promise<Measurement> {
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  const path = join(folder, "lines.db");
  let figures: Measurement;
  {
    await using collector = await Child.start([script("naive-collector"), path, String(port)]);
    using db = disposable(new Database(path, { readonly: true }));
    const rows = db.value.prepare("SELECT max(id) FROM lines").pluck();
    const startedMs = performance.now();
    await using agent = await Child.start([
      script("naive-agent"),
      corpus.file,
      `ws://127.0.0.1:${port}`,
    ]);
    const readyMs = performance.now();
    // It loses lines without a word, so its end is when no more arrive.
    let stored = 0;
    let endedMs = readyMs;
    const isOver = (): boolean => {
      const now = Number(rows.get() ?? 0);
      endedMs = now > stored ? performance.now() : endedMs;
      stored = now;
      return now >= corpus.lines || performance.now() - endedMs > QUIET_MS;
    };
    await until(isOver, [agent, collector]);
    const bytes = (corpus.bytes * stored) / corpus.lines;
    figures = {
      name: "naive baseline",
      ...rates({ ...corpus, bytes, lines: stored }, endedMs - startedMs),
      "MB/s once started": bytes / 1e3 / (endedMs - readyMs),
      "lines lost": corpus.lines - stored,
      ...usage("agent", agent),
      ...usage("collector", collector),
    };
  }
  return { ...figures, "disk/raw": (await folderBytes(folder)) / corpus.bytes };
}

function rates(corpus: CorpusFile, elapsedMs: number): Record<string, number> {
  return {
    seconds: elapsedMs / 1000,
    "lines/s": (corpus.lines / elapsedMs) * 1000,
    "MB/s": corpus.bytes / 1e3 / elapsedMs,
  };
}

function usage(who: string, child: Child): Record<string, number> {
  const { cpuSeconds, peakRssBytes } = processUsage(child.pid);
  return { [`${who} CPU s`]: cpuSeconds, [`${who} peak RSS MiB`]: peakRssBytes / 2 ** 20 };
}

async function until(isDone: () => boolean, children: readonly Child[]): Promise<void> {
  while (!isDone()) {
    if (children.some((child) => !child.isRunning)) {
      throw new Error("a process of the benchmark ended early");
    }
    await sleep(POLL_MS);
  }
}

function disposable<T extends { close(): unknown }>(value: T): Disposable & { readonly value: T } {
  return { value, [Symbol.dispose]: () => void value.close() };
}

function script(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}
