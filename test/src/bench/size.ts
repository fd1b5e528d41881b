import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, zstdCompressSync } from "node:zlib";
import { compressPayloadSync } from "@sluice/protocol";

import { KINDS } from "../corpus/generate.ts";
import { LOGHUB_MISSING } from "../corpus/loghub.ts";
import { RecordBatchMaker, RecordLog, type RecordSource } from "../corpus/record-batches.ts";
import { RepeatedLog, SAMPLES } from "../corpus/repeated-log.ts";
import { BenchStore } from "./bench-store.ts";
import { folderBytes } from "./folder-bytes.ts";
import type { Measurement, Report } from "./report.ts";

const SEED = 1;
const FULL_BYTES = 100e6;
const BATCH_BYTES = 1 << 20;
const START_US = Date.UTC(2026, 10, 22, 8) * 1000;
const LINES_PER_SECOND = 500;
const LEVEL_3 = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Syslog-like text may take this share of what it was; any text this share of zstd -3 in pieces. */
const AIM_SYSLOG = 0.07;
const AIM_OF_PIECES = 0.8;

interface Corpus {
  readonly name: string;
  readonly open: () => RecordSource;
}

/** What is left on disk of many kinds of log, each a stream in a store of its own. */
export async function benchSize({ sizeBytes }: { readonly sizeBytes: number }): Promise<Report> {
  const measurements: Measurement[] = [];
  for (const corpus of corpora(sizeBytes)) {
    measurements.push(await measure(corpus, sizeBytes));
  }
  return {
    bench: `size: bytes on disk over bytes of log${sizeBytes < FULL_BYTES ? " (a smaller run: the aims are for 100 MB)" : ""}`,
    setup: { bytes: sizeBytes, seed: SEED },
    measurements,
    layout: "rows",
    notes: [
      "disk/raw: every file under data_dir after a checkpoint, over the log's bytes; one stream, 1 MiB batches; segments: of it.",
      "zstd -3: of the whole file, and of the same text cut into pieces of 1 MiB; of pieces: disk over the latter.",
      "NAME_2k: the sample over and over, its times moved on each time.",
      ...(LOGHUB_MISSING === undefined ? [] : [`the samples are left out: ${LOGHUB_MISSING}`]),
    ],
  };
}

function corpora(sizeBytes: number): readonly Corpus[] {
  const generated = KINDS.map((kind) => ({
    name: kind,
    open: () =>
      new RecordLog({
        kind,
        seed: SEED,
        bytes: sizeBytes,
        startUs: START_US,
        linesPerSecond: LINES_PER_SECOND,
      }),
  }));
  if (LOGHUB_MISSING !== undefined) return generated;
  const samples = SAMPLES.map((name) => ({
    name: `${name}_2k`,
    open: () => new RepeatedLog(name),
  }));
  return [...generated, ...samples];
}

async function measure({ name, open }: Corpus, sizeBytes: number): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    const dataDir = join(folder, "data");
    const text = await feed(dataDir, open(), sizeBytes);
    const diskBytes = await folderBytes(dataDir);
    const segmentBytes = await folderBytes(join(dataDir, "segments"));
    const wholeBytes = zstdCompressSync(text, LEVEL_3).length;
    let piecesBytes = 0;
    for (let at = 0; at < text.length; at += BATCH_BYTES) {
      piecesBytes += zstdCompressSync(text.subarray(at, at + BATCH_BYTES), LEVEL_3).length;
    }
    return {
      name,
      "raw MB": text.length / 1e6,
      "disk/raw": diskBytes / text.length,
      "segments/raw": segmentBytes / text.length,
      ...(name === "syslog" && { "aim disk/raw": AIM_SYSLOG }),
      "zstd -3": wholeBytes / text.length,
      "zstd -3, 1 MiB": piecesBytes / text.length,
      "of pieces": diskBytes / piecesBytes,
      "aim of pieces": AIM_OF_PIECES,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function feed(dataDir: string, log: RecordSource, sizeBytes: number): Promise<Buffer> {
  await using store = await BenchStore.open(dataDir);
  await store.openStreams([{ stream: 1, host: "host-1", source: "/var/log/sample" }], "host");
  const maker = new RecordBatchMaker();
  const texts: Buffer[] = [];
  for (let left = sizeBytes; left > 0;) {
    const { text, payload, count, minTimeUs, maxTimeUs } = maker.make(
      log,
      Math.min(left, BATCH_BYTES),
    );
    left -= text.length;
    texts.push(Buffer.from(text));
    const rawBytes = payload.length;
    const draft = { stream: 1, count, minTimeUs, maxTimeUs, rawBytes };
    await store.append({ ...draft, payload: compressPayloadSync(payload) });
  }
  await store.drained();
  await store.compact();
  return Buffer.concat(texts);
}
