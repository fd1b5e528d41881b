import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { BenchStore, type Commit } from "./bench-store.ts";
import { corpusBatches } from "./corpus-feed.ts";
import { corpusStreams } from "./corpus-plan.ts";
import type { BatchDraft } from "./corpus-thread.ts";
import { folderBytes } from "./folder-bytes.ts";
import { quantile } from "./quantile.ts";
import type { Measurement, Report } from "./report.ts";

const SEED = 1;
const FULL_BYTES = 5e9;
/** Log a second while it is measured: a third of what the store takes, so that no queue forms. */
const PACE_BYTES_PER_SECOND = 40e6;
const PHASE_SECONDS = 10;
const PRUNE_AT_SECONDS = 2;
const BATCH_BYTES = 256 << 10;
const AIM_BLOCKED_MS = 20;
const AIM_TIMES = 2;

/** A day is pruned while agents go on sending: what they notice of it, and what comes back. */
export async function benchPrune({ sizeBytes }: { readonly sizeBytes: number }): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    const dataDir = join(folder, "data");
    await using store = await BenchStore.open(dataDir);
    const { dayBytes, later } = await feedDay(store, sizeBytes);
    const half = Math.floor(later.length / 2);
    const dayEndMs = Date.now() + 1;
    await sleep(2);
    const without = await ingest(store, later.slice(0, half));
    // What prunes is measured, not what folds the log of the minutes before into the head.
    await store.checkpoint();
    const disk = { before: Number.NaN, after: Number.NaN, tookMs: Number.NaN };
    const withIt = await ingest(store, later.slice(half), async () => {
      disk.before = await folderBytes(dataDir, isLasting);
      const startedMs = performance.now();
      await store.prune(dayEndMs);
      disk.tookMs = performance.now() - startedMs;
      disk.after = await folderBytes(dataDir, isLasting);
    });
    const calm = pace("without", without);
    const busy = pace("with the prune", withIt);
    return {
      bench: `prune: a day goes while ${PACE_BYTES_PER_SECOND / 1e6} MB/s come in${sizeBytes < FULL_BYTES ? " (a smaller run: the aims are for 5 GB)" : ""}`,
      setup: { "day bytes": dayBytes, seed: SEED },
      measurements: [
        calm,
        {
          ...busy,
          "commit p99, times": Number(busy["commit p99 ms"]) / Number(calm["commit p99 ms"]),
          "aim times": AIM_TIMES,
          "blocked ms": Math.max(0, Number(busy["ack max ms"]) - Number(calm["ack max ms"])),
          "aim blocked ms": AIM_BLOCKED_MS,
          "prune ms": disk.tookMs,
          "disk before, MB": disk.before / 1e6,
          "disk at once, MB": disk.after / 1e6,
        },
      ],
      notes: [
        "ack: from a message's handing over until it is known to be durable; commit: the transaction alone.",
        "blocked: how much longer the longest ack takes with the prune than without.",
        "disk: every file under data_dir but the WAL, right before and right after the prune, ingest going on.",
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface FedDay {
  readonly dayBytes: number;
  /** What comes in while it is measured, ready in memory. */
  readonly later: readonly BatchDraft[];
}

async function feedDay(store: BenchStore, sizeBytes: number): Promise<FedDay> {
  const laterBytes = 2 * PHASE_SECONDS * PACE_BYTES_PER_SECOND;
  const plan = { sizeBytes: sizeBytes + laterBytes, seed: SEED };
  await store.openStreams(corpusStreams(plan), "host");
  const later: BatchDraft[] = [];
  let dayBytes = 0;
  for await (const draft of corpusBatches(plan, { batchBytes: BATCH_BYTES })) {
    if (dayBytes >= sizeBytes) {
      later.push(draft);
    } else {
      dayBytes += draft.textBytes;
      await store.append(draft);
    }
  }
  await store.drained();
  await store.compact();
  return { dayBytes, later };
}

/** Sends batches at the pace; `prune` is called in between, and waited for. */
async function ingest(
  store: BenchStore,
  drafts: readonly BatchDraft[],
  prune?: () => Promise<void>,
): Promise<readonly Commit[]> {
  store.takeCommits();
  const startedMs = performance.now();
  let pruning: Promise<void> | undefined;
  let sentBytes = 0;
  for (const draft of drafts) {
    const dueMs = startedMs + (sentBytes / PACE_BYTES_PER_SECOND) * 1000;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    if (performance.now() - startedMs >= PRUNE_AT_SECONDS * 1000) pruning ??= prune?.();
    await store.append(draft);
    sentBytes += draft.textBytes;
  }
  await store.drained();
  await pruning;
  return store.takeCommits();
}

/** A WAL comes and goes with checkpoints, which nothing here can wait for. */
function isLasting(name: string): boolean {
  return !name.endsWith("-wal") && !name.endsWith("-shm");
}

function pace(name: string, commits: readonly Commit[]): Measurement {
  const commitMs = commits.map(({ tookMs }) => tookMs);
  const ackMs = commits.flatMap((commit) => commit.ackMs);
  return {
    name,
    commits: commits.length,
    "commit p50 ms": quantile(commitMs, 0.5),
    "commit p99 ms": quantile(commitMs, 0.99),
    "ack p50 ms": quantile(ackMs, 0.5),
    "ack p99 ms": quantile(ackMs, 0.99),
    "ack max ms": quantile(ackMs, 1),
  };
}
