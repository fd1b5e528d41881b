import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { corpusBatches } from "./corpus-feed.ts";
import { corpusStreams } from "./corpus-plan.ts";
import type { BatchDraft } from "./corpus-thread.ts";
import { HeavyQueries } from "./heavy-queries.ts";
import { MeasuredServer } from "./measured-server.ts";
import type { Report } from "./report.ts";
import { SteadyLoad } from "./steady-load.ts";

const SEED = 1;
const AIM_LOOP_P99_MS = 50;
const AIM_RSS_MIB = 400;
/** Disk that is kept, as a share of what comes in: less than it takes, so that there is something to prune. */
const KEPT_SHARE = 0.03;
const LEAST_KEPT_BYTES = 64e6;

interface PruneAnswer {
  readonly tookMs: number;
  readonly bytes: number;
}

export interface LoadOptions {
  /** Distinct log, sent over and over. */
  readonly sizeBytes: number;
  readonly minutes: number;
  /** Log a second. */
  readonly rateBytes: number;
}

/** A collector under steady ingest, then with heavy queries as well, then with a prune as well. */
export async function benchLoad({ sizeBytes, minutes, rateBytes }: LoadOptions): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    const plan = { sizeBytes, seed: SEED };
    const drafts: BatchDraft[] = [];
    for await (const draft of corpusBatches(plan)) drafts.push(draft);
    const keptBytes = Math.max(LEAST_KEPT_BYTES, minutes * 60 * rateBytes * KEPT_SHARE);
    await using server = await MeasuredServer.start(folder, Math.round(keptBytes));
    const { url } = server;
    await using load = await SteadyLoad.start(server, corpusStreams(plan), drafts, rateBytes);
    const quarterMs = (minutes * 60_000) / 4;
    const measurements = [await server.phase("ingest", load, quarterMs)];
    {
      await using queries = new HeavyQueries(url, await server.token("query"));
      measurements.push(await server.phase("and 4 queries", load, 2 * quarterMs, queries));
      const prune = fetch(`${url}/v1/prune`, {
        method: "POST",
        headers: { authorization: `Bearer ${await server.token("query")}` },
      });
      const pruning = await server.phase("and a prune", load, quarterMs, queries);
      const { tookMs, bytes } = (await (await prune).json()) as PruneAnswer;
      measurements.push({ ...pruning, "prune ms": tookMs, "pruned MB": bytes / 1e6 });
    }
    return {
      bench: `load: a collector for ${minutes} minutes`,
      setup: {
        "MB/s offered": rateBytes / 1e6,
        "kept MB": keptBytes / 1e6,
        distinct: sizeBytes,
        seed: SEED,
      },
      measurements,
      notes: [
        "loop: how late the server's event loop runs a timer of 10 ms; RSS: its peak so far.",
        `aims: loop p99 under ${AIM_LOOP_P99_MS} ms, RSS at most ${AIM_RSS_MIB} MiB, a head that stays bounded.`,
        "The same log over and over, by 4 agents in this process; retention.max_size is below what comes in.",
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
