import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BenchStore, type Commit } from "./bench-store.ts";
import { corpusBatches } from "./corpus-feed.ts";
import { type CorpusPlan, corpusStreams } from "./corpus-plan.ts";
import type { BatchDraft } from "./corpus-thread.ts";
import { writeDurably } from "./disk-speed.ts";
import { folderBytes } from "./folder-bytes.ts";
import { insertRows } from "./naive-rows.ts";
import { quantile } from "./quantile.ts";
import type { Measurement, Report } from "./report.ts";
import { measureTrickle } from "./trickle.ts";

const SEED = 1;
const GB = 1e9;
const AIM_MB_PER_SECOND = 800;
/** The row-wise baseline takes a second for each 40 MB. */
const NAIVE_BYTES = 100e6;

export interface StoreOptions {
  readonly sizeBytes: number;
  readonly repeats: number;
  readonly withBaseline: boolean;
}

/** The store without a network: batches that lie ready in memory until they are durable. */
export async function benchStore(options: StoreOptions): Promise<Report> {
  const { sizeBytes, repeats, withBaseline } = options;
  const plan = { sizeBytes, seed: SEED };
  const drafts: BatchDraft[] = [];
  for await (const draft of corpusBatches(plan)) drafts.push(draft);
  const bytes = drafts.reduce((sum, { textBytes }) => sum + textBytes, 0);
  const payloadBytes = drafts.reduce((sum, { payload }) => sum + payload.length, 0);
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    const measurements: Measurement[] = [];
    for (let i = 1; i <= repeats; i++) {
      const run = join(folder, String(i));
      await mkdir(run);
      measurements.push(...(await measureBulk(run, plan, drafts, i)));
    }
    if (withBaseline) measurements.push(measureRows(join(folder, "rows.db"), drafts));
    measurements.push(await measureTrickle(join(folder, "trickle")));
    return {
      bench: `store: batches ready in memory, made durable${sizeBytes < GB ? " (a smaller run: the aim is for 1 GB)" : ""}`,
      setup: { bytes, "raw/compressed": Number((bytes / payloadBytes).toFixed(2)), seed: SEED },
      measurements,
      notes: [
        "MB/s: of raw log, from the first message handed over until the last commit's fsync.",
        "disk: the same messages in a plain file, an fdatasync where the store made a commit; what of that the aim is, is the lower of the two.",
        "rows: one row a line in SQLite, transactions of 1,000 rows, WAL, synchronous=FULL.",
        "WAL/raw: bytes written to the WAL over bytes of the lines, in real time, one line at a time.",
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The store, and right behind it the disk on its own with the same groups. */
async function measureBulk(
  folder: string,
  plan: CorpusPlan,
  drafts: readonly BatchDraft[],
  run: number,
): Promise<readonly Measurement[]> {
  const bytes = drafts.reduce((sum, { textBytes }) => sum + textBytes, 0);
  const dataDir = join(folder, "data");
  let elapsedMs: number;
  let commits: readonly Commit[];
  let copies: readonly Uint8Array[];
  {
    await using store = await BenchStore.open(dataDir);
    await store.openStreams(corpusStreams(plan), "host");
    const messages = drafts.map((draft) => store.encode(draft));
    copies = messages.map((message) => Uint8Array.from(message.bytes));
    store.takeCommits();
    const startedMs = performance.now();
    for (const message of messages) await store.send(message);
    await store.drained();
    elapsedMs = performance.now() - startedMs;
    commits = store.takeCommits();
  }
  const commitMs = commits.map(({ tookMs }) => tookMs);
  const groups = commits.map((commit) => commit.bytes);
  const diskMs = writeDurably(join(folder, "plain"), copies, groups);
  const diskRate = bytes / 1e3 / diskMs;
  return [
    {
      name: `sluice #${run}`,
      "MB/s": bytes / 1e3 / elapsedMs,
      "aim MB/s": Math.min(AIM_MB_PER_SECOND, diskRate),
      commits: commits.length,
      "commit p50 ms": quantile(commitMs, 0.5),
      "commit p99 ms": quantile(commitMs, 0.99),
      "disk/raw": (await folderBytes(dataDir)) / bytes,
    },
    {
      name: `disk #${run}`,
      "MB/s": diskRate,
      "MB/s as written": copies.reduce((sum, { length }) => sum + length, 0) / 1e3 / diskMs,
    },
  ];
}

function measureRows(path: string, drafts: readonly BatchDraft[]): Measurement {
  const some: BatchDraft[] = [];
  let bytes = 0;
  for (const draft of drafts) {
    if (bytes >= NAIVE_BYTES) break;
    some.push(draft);
    bytes += draft.textBytes;
  }
  const tookMs = insertRows(path, some);
  return { name: `rows (${Math.round(bytes / 1e6)} MB)`, "MB/s": bytes / 1e3 / tookMs };
}
