import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchBuilder, compressPayloadSync } from "@sluice/protocol";

import { generateLines } from "../corpus/generate.ts";
import { BenchStore, type StoreDraft } from "./bench-store.ts";
import { quantile } from "./quantile.ts";
import type { Measurement } from "./report.ts";
import { WalMeter } from "./wal-meter.ts";

const STREAMS = 1_000;
const SECONDS = 20;
const STEP_MS = 5;
const START_US = Date.UTC(2026, 10, 22, 8) * 1000;
const SEED = 2;
/** More than a line of syslog has. */
const LINE_BYTES = 160;
const LF = 0x0a;

/**
 * A fleet of quiet agents: 1,000 connections with one stream each, a line a second from each, at
 * its own moment of the second and in real time, since commits are made by the clock.
 */
export async function measureTrickle(dataDir: string): Promise<Measurement> {
  const drafts = oneLineDrafts(STREAMS * SECONDS);
  const rawBytes = drafts.reduce((sum, { textBytes }) => sum + textBytes, 0);
  await using store = await BenchStore.open(dataDir);
  const streams = Array.from({ length: STREAMS }, (_, stream) => ({
    stream,
    host: `host-${stream}`,
    source: "/var/log/syslog",
  }));
  await store.openStreams(streams, "stream");
  await store.drained();
  store.takeCommits();
  using wal = new WalMeter(join(dataDir, "head.db"));
  wal.look();
  const startedMs = performance.now();
  for (let next = 0; next < drafts.length;) {
    const due = ((performance.now() - startedMs) * STREAMS) / 1000;
    for (; next < Math.min(due, drafts.length); next++) {
      const draft = drafts[next];
      if (draft !== undefined) await store.append(draft);
    }
    wal.look();
    await sleep(STEP_MS);
  }
  await store.drained();
  const walBytes = wal.look();
  const commitMs = store.takeCommits().map(({ tookMs }) => tookMs);
  return {
    name: "1,000 streams, 1 line/s",
    "WAL/raw": walBytes / rawBytes,
    "aim WAL/raw": 10,
    "commits/s": commitMs.length / SECONDS,
    "commit p50 ms": quantile(commitMs, 0.5),
    "commit p99 ms": quantile(commitMs, 0.99),
  };
}

function oneLineDrafts(count: number): (StoreDraft & { readonly textBytes: number })[] {
  const options = {
    kind: "syslog",
    seed: SEED,
    startUs: START_US,
    linesPerSecond: STREAMS,
  } as const;
  const text = Buffer.concat([...generateLines({ ...options, bytes: count * LINE_BYTES })]);
  const builder = new BatchBuilder();
  let from = 0;
  return Array.from({ length: count }, (_, i) => {
    const end = text.indexOf(LF, from);
    if (end === -1) throw new Error("too few lines were generated");
    builder.reset();
    text.copy(builder.buffer, 0, from, end + 1);
    const timeUs = START_US + Math.round((i / STREAMS) * 1_000_000);
    builder.add(end - from, timeUs, 0);
    const textBytes = end + 1 - from;
    from = end + 1;
    const payload = builder.finish();
    return {
      stream: i % STREAMS,
      count: 1,
      minTimeUs: timeUs,
      maxTimeUs: timeUs,
      rawBytes: payload.length,
      payload: compressPayloadSync(payload),
      textBytes,
    };
  });
}
