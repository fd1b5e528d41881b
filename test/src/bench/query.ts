import { openStoreReader, type StoreReader } from "@sluice/store";

import { Prng } from "../corpus/prng.ts";
import { folderBytes } from "./folder-bytes.ts";
import { GREP_MISSING, grepCount } from "./grep.ts";
import { median, quantile } from "./quantile.ts";
import { needleCases, queryCases, type QueryCase, type QueryRun } from "./query-cases.ts";
import type { Measurement, Report } from "./report.ts";
import { storeBuild } from "./store-build.ts";
import { findCorpus, storedCorpus, type StoredCorpus } from "./stored-corpus.ts";

const SEED = 1;
const GB = 1e9;
/** A question that takes longer is a result of its own. */
const DEADLINE_MS = 600_000;
/** Corpora this large are grepped once: it takes a quarter of a minute. */
const GREP_ONCE_BYTES = 2 * GB;

export interface QueryOptions {
  readonly sizeBytes: number;
  readonly repeats: number;
  readonly isFresh: boolean;
}

/** Questions asked of a stored corpus, warm, beside `zstd -dc | grep` over the same text. */
export async function benchQuery({ sizeBytes, repeats, isFresh }: QueryOptions): Promise<Report> {
  const corpus = await storedCorpus({ sizeBytes, seed: SEED }, isFresh);
  // Other needles in each run: whatever a run leaves in a cache helps no other.
  const prng = new Prng(Date.now());
  const measurements: Measurement[] = [];
  {
    await using reader = openStoreReader(corpus.dataDir);
    for (const one of queryCases(corpus, prng, repeats)) {
      measurements.push(await measure(reader, corpus, one, sizeBytes));
    }
  }
  const comparisons = await growth(sizeBytes, prng);
  const diskBytes = await folderBytes(corpus.dataDir);
  return {
    bench: `query: a corpus of 32 streams, asked warm${sizeBytes < GB ? " (a smaller run: the aims are for 1 GB and 10 GB)" : ""}`,
    setup: {
      corpus: "4 hosts x 8 sources",
      bytes: corpus.bytes,
      records: corpus.records,
      seed: SEED,
      "written by": corpus.build === storeBuild() ? "this build" : "another build",
      "disk/raw": Number((diskBytes / corpus.bytes).toFixed(4)),
    },
    measurements,
    comparisons,
    layout: "rows",
    notes: [
      "ms: from the call to the last row, by this process (cpu: of all its threads); every iteration looks for something else.",
      "grep: zstd -dc | grep -c (-cE) over the same text in this run; x: how many times as long it takes.",
      "wrong: answers that are not what was planted, or not what grep counts.",
      ...(GREP_MISSING === undefined ? [] : [GREP_MISSING]),
    ],
  };
}

async function measure(
  reader: StoreReader,
  corpus: StoredCorpus,
  one: QueryCase,
  sizeBytes: number,
): Promise<Measurement> {
  const greps = sizeBytes >= GREP_ONCE_BYTES ? 1 : Math.min(3, one.iterations);
  const storeMs: number[] = [];
  const cpuMs: number[] = [];
  const grepMs: number[] = [];
  const grepCpuMs: number[] = [];
  let wrong = 0;
  let found = 0;
  // The first is not counted: it opens files and starts threads.
  await ask(reader, one.run(one.iterations));
  for (let i = 0; i < one.iterations; i++) {
    const run = one.run(i);
    const answer = await ask(reader, run);
    storeMs.push(answer.elapsedMs);
    cpuMs.push(answer.cpuMs);
    found += answer.count;
    let expected = run.expected;
    if (i < greps && run.grep !== undefined && GREP_MISSING === undefined) {
      const grepped = await grepCount(corpus.textFiles, run.grep);
      grepMs.push(grepped.elapsedMs);
      grepCpuMs.push(grepped.cpuMs);
      expected ??= grepped.count;
    }
    wrong += expected !== undefined && expected !== answer.count ? 1 : 0;
  }
  const medianMs = median(storeMs);
  const aimMs = one.aimMs[`${sizeBytes / GB} GB`];
  return {
    name: one.name,
    "median ms": medianMs,
    "p90 ms": quantile(storeMs, 0.9),
    ...(aimMs !== undefined && { "aim ms": aimMs }),
    "cpu ms": median(cpuMs),
    ...(grepMs.length > 0 && {
      "grep ms": median(grepMs),
      x: median(grepMs) / medianMs,
      "grep cpu ms": median(grepCpuMs),
    }),
    runs: one.iterations,
    "mean found": found / one.iterations,
    wrong,
  };
}

interface Answer {
  readonly elapsedMs: number;
  /** Of all threads of this process: what a busy machine changes least. */
  readonly cpuMs: number;
  /** Rows, or the sum of a table's counts. */
  readonly count: number;
}

async function ask(reader: StoreReader, { request }: QueryRun): Promise<Answer> {
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const run = reader.search(
    { ...request, order: "time", reverse: true, deadlineMs: DEADLINE_MS },
    new AbortController().signal,
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of run) chunks.push(chunk);
  const { rows } = await run.summary;
  const elapsedMs = performance.now() - startedMs;
  const cpu = process.cpuUsage(startedCpu);
  const took = { elapsedMs, cpuMs: (cpu.user + cpu.system) / 1000 };
  if (!request.query.includes("| stats count()")) return { ...took, count: rows };
  const lines = Buffer.concat(chunks).toString("utf8").trimEnd().split("\n");
  const tables = lines.filter((line) => line !== "");
  const counts = tables.map((line) =>
    Number((JSON.parse(line) as Record<string, unknown>)["count"]),
  );
  return { ...took, count: counts.reduce((sum, n) => sum + n, 0) };
}

/** How much longer a needle takes in ten times as much, where there is a corpus of the other size. */
async function growth(sizeBytes: number, prng: Prng): Promise<readonly Measurement[]> {
  const sizes = [sizeBytes / 10, sizeBytes, sizeBytes * 10];
  const found = await Promise.all(
    sizes.map((bytes) => findCorpus({ sizeBytes: bytes, seed: SEED })),
  );
  const large = found.findLastIndex((corpus) => corpus !== undefined);
  const pair = found.slice(large - 1, large + 1).filter((corpus) => corpus !== undefined);
  if (pair.length < 2) return [];
  const medians = new Map<string, number[]>();
  for (const corpus of pair) {
    await using reader = openStoreReader(corpus.dataDir);
    for (const one of needleCases(corpus, prng)) {
      const { "median ms": ms } = await measure(reader, corpus, withoutGrep(one), corpus.bytes);
      medians.set(one.name, [...(medians.get(one.name) ?? []), Number(ms)]);
    }
  }
  const names = pair.map(({ bytes }) => `${Number((bytes / GB).toPrecision(1))} GB ms`);
  return [...medians].map(([name, ms]) => ({
    name: `growth, ${name}`,
    ...Object.fromEntries(names.map((size, i) => [size, ms[i] ?? Number.NaN])),
    "times as long": (ms[1] ?? Number.NaN) / (ms[0] ?? Number.NaN),
    "aim times": 4,
  }));
}

function withoutGrep(one: QueryCase): QueryCase {
  return { ...one, run: (i) => ({ ...one.run(i), grep: undefined }) };
}
