/**
 * Size, speed and false blocks of token filters: `node packages/store/bench/token-filter.ts FILE...`, with the packages
 * built. Files of log lines come from `node test/dist/corpus/main.js --kind syslog --size 200MB --out FILE`.
 *
 * A file is cut into blocks of 1 MiB whose timestamps are replaced by one byte, as blocks do it, and makes one segment.
 * Sizes are shares of the file; times are the best of five rounds on one core; speed is in bytes of the file.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { cpus } from "node:os";
import { basename } from "node:path";

import { SegmentFilter } from "../src/token-filter/segment-filter.ts";
import { SegmentFilterBuilder } from "../src/token-filter/segment-filter-builder.ts";
import { TokenCollector } from "../src/token-filter/token-collector.ts";

const BLOCK_BYTES = 1024 * 1024;
const ROUNDS = 5;
const SPEED_BLOCKS = 64;
const ABSENT_WORDS = 20_000;

/** What a row of SQLite takes beside its bytes. */
const ROW_HEAD_BYTES = 10;

const TIMESTAMP =
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)?|\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}/gm;

function* blocksOf(path: string): Generator<Buffer> {
  const file = openSync(path, "r");
  const bytes = Buffer.alloc(BLOCK_BYTES);
  while (readSync(file, bytes) === BLOCK_BYTES) {
    yield Buffer.from(bytes.toString("latin1").replaceAll(TIMESTAMP, "\u0001"), "latin1");
  }
  closeSync(file);
}

function bestMs(rounds: number, run: () => void): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    run();
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}

function measure(path: string): string[] {
  const collector = new TokenCollector();
  const texts: Buffer[] = [];
  const tokens: Uint32Array[] = [];
  for (const text of blocksOf(path)) {
    tokens.push(collector.collect(text));
    if (texts.length < SPEED_BLOCKS) {
      texts.push(text);
    }
  }
  const collectMs = bestMs(ROUNDS, () => texts.forEach((text) => collector.collect(text)));
  let buckets: Buffer[] = [];
  let directory = { blockCount: 0, bucketCount: 0, rareSpace: 0 };
  const buildMs = bestMs(ROUNDS, () => {
    const builder = new SegmentFilterBuilder();
    tokens.forEach((hashes) => builder.add(hashes));
    const built = builder.finish();
    directory = built.directory;
    buckets = Array.from(built.buckets);
  });
  const filter = new SegmentFilter(directory, { bucket: (bucket) => buckets[bucket] });
  let falseBlocks = 0;
  const lookUpMs = bestMs(1, () => {
    for (let i = 0; i < ABSENT_WORDS; i++) {
      const found = filter.candidatesOf(`zq${i.toString(36)}qz`);
      falseBlocks += found.ok ? found.value.size : Number.NaN;
    }
  });
  const pairs = tokens.reduce((sum, hashes) => sum + hashes.length, 0);
  const bytes = buckets.reduce((sum, bucket) => sum + bucket.length + ROW_HEAD_BYTES, 0);
  const rawBytes = tokens.length * BLOCK_BYTES;
  return [
    basename(path),
    String(tokens.length),
    (pairs / tokens.length).toFixed(0),
    ((bytes * 8) / pairs).toFixed(2),
    `${((bytes / rawBytes) * 100).toFixed(3)} %`,
    `${((falseBlocks / ABSENT_WORDS / tokens.length) * 100).toFixed(3)} %`,
    ((texts.length * BLOCK_BYTES) / 1e3 / collectMs).toFixed(0),
    (rawBytes / 1e3 / buildMs).toFixed(0),
    ((lookUpMs / ABSENT_WORDS) * 1e3).toFixed(1),
  ];
}

const HEAD = "file,blocks,words/block,bits/word,size,false,collect MB/s,build MB/s,look-up us";

process.stdout.write(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}\n`);
for (const row of [HEAD.split(","), ...process.argv.slice(2).map(measure)]) {
  const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(20) : cell.padStart(13)));
  process.stdout.write(`${cells.join("")}\n`);
}
