import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Transfer } from "../corpus/transfer.ts";
import { BenchStore } from "./bench-store.ts";
import { corpusBatches } from "./corpus-feed.ts";
import { type CorpusPlan, corpusStreams } from "./corpus-plan.ts";
import { storeBuild } from "./store-build.ts";

/** Counts on: what is kept from an earlier run is not this corpus any more. */
const LAYOUT = 2;
/** Transfers whose ids are kept to be looked for, spread over the corpus. */
const NEEDLES = 512;
const TRANSFER_SHARE_BYTES = 6_500;

/** What is known of a corpus that lies in a store. */
export interface CorpusFacts {
  readonly bytes: number;
  readonly records: number;
  readonly hosts: Readonly<Record<string, number>>;
  readonly transfers: number;
  /** Transfers that were declined, reversed or disputed. */
  readonly failedTransfers: number;
  readonly needles: readonly Transfer[];
  /** The code that wrote it (`storeBuild`). */
  readonly build: string;
  readonly feedSeconds: number;
  readonly compactSeconds: number;
}

export interface StoredCorpus extends CorpusFacts {
  readonly dataDir: string;
  /** The same text: zstd -3, in frames of 1 MiB. */
  readonly textFiles: readonly string[];
}

/** Where a corpus is kept from run to run. */
function corpusFolder({ sizeBytes, seed }: CorpusPlan): string {
  return join(tmpdir(), "sluice-bench", `mix-${sizeBytes}-seed-${seed}-layout-${LAYOUT}`);
}

/** A corpus that an earlier run has stored, whole. */
export async function findCorpus(plan: CorpusPlan): Promise<StoredCorpus | undefined> {
  const folder = corpusFolder(plan);
  const facts = join(folder, "facts.json");
  if (!existsSync(facts)) return undefined;
  return corpusAt(folder, JSON.parse(await readFile(facts, "utf8")) as CorpusFacts);
}

/** A corpus in a store, made where it is not kept from an earlier run. Says on stderr what it does. */
export async function storedCorpus(plan: CorpusPlan, isFresh: boolean): Promise<StoredCorpus> {
  const kept = isFresh ? undefined : await findCorpus(plan);
  if (kept !== undefined) {
    const build =
      kept.build === storeBuild() ? "" : ", written by another build (--fresh makes it anew)";
    process.stderr.write(`corpus: kept from an earlier run in ${kept.dataDir}${build}\n`);
    return kept;
  }
  const folder = corpusFolder(plan);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "text"), { recursive: true });
  const facts = await feed(plan, folder);
  const path = join(folder, "facts.json");
  await writeFile(`${path}.tmp`, JSON.stringify(facts));
  await rename(`${path}.tmp`, path);
  return corpusAt(folder, facts);
}

function corpusAt(folder: string, facts: CorpusFacts): StoredCorpus {
  const textFiles = [0, 1].map((i) => join(folder, "text", `text-${i}.zst`)).filter(existsSync);
  return { ...facts, dataDir: join(folder, "data"), textFiles };
}

async function feed(plan: CorpusPlan, folder: string): Promise<CorpusFacts> {
  const streams = corpusStreams(plan);
  await using store = await BenchStore.open(join(folder, "data"));
  await store.openStreams(streams, "host");
  const hostOf = new Map(streams.map(({ stream, host }) => [stream, host]));
  const hosts: Record<string, number> = {};
  const needles: Transfer[] = [];
  const stride = Math.max(1, Math.floor(plan.sizeBytes / TRANSFER_SHARE_BYTES / NEEDLES));
  let bytes = 0;
  let records = 0;
  let transfers = 0;
  let failedTransfers = 0;
  const startedMs = performance.now();
  for await (const draft of corpusBatches(plan, { textDir: join(folder, "text") })) {
    const host = hostOf.get(draft.stream) ?? "";
    hosts[host] = (hosts[host] ?? 0) + draft.count;
    bytes += draft.textBytes;
    records += draft.count;
    for (const transfer of draft.transfers) {
      if (transfers % stride === 0) needles.push(transfer);
      transfers += 1;
      failedTransfers += transfer.hasSettled ? 0 : 1;
    }
    await store.append(draft);
  }
  await store.drained();
  const fedMs = performance.now();
  await store.compact();
  const compactSeconds = (performance.now() - fedMs) / 1000;
  const feedSeconds = (fedMs - startedMs) / 1000;
  process.stderr.write(
    `corpus: fed ${Math.round(bytes / 1e6)} MB in ${feedSeconds.toFixed(1)} s (${Math.round(bytes / 1e6 / feedSeconds)} MB/s), compacted in ${compactSeconds.toFixed(1)} s\n`,
  );
  const counts = { bytes, records, hosts, transfers, failedTransfers };
  return { ...counts, needles, build: storeBuild(), feedSeconds, compactSeconds };
}
