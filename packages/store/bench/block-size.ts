/**
 * What blocks of about 1 MiB come to, against `zstd -3` of the same text cut alike:
 *
 *     node bench/block-size.ts [--level 6] [--size 20] [--no-dictionary] [--quick] FILE...
 *
 * A file below `--size` MB is repeated with its times moved on. The dictionary is sampled from the first block, and
 * what it takes is part of what blocks come to. Speeds are MB/s of raw, encoding at level 3; `--quick` leaves them out.
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { constants, zstdCompressSync } from "node:zlib";
import { encodeBlock } from "../src/block/block-encoder.ts";
import { decodeIndex } from "../src/block/block-index.ts";
import { decodeText } from "../src/block/block-text.ts";
import { type BlockDictionary, sampleDictionary } from "../src/block/dictionary.ts";
import { cutRuns, readRun, repeatRun } from "./log-runs.ts";

const BLOCK_BYTES = 1 << 20;
/** Larger files are taken as they are: one block of all of their lines would be too large. */
const LONGEST_REPEATED = 32e6;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    level: { type: "string", default: "6" },
    size: { type: "string", default: "20" },
    quick: { type: "boolean", default: false },
    dictionary: { type: "boolean", default: true },
  },
  allowNegative: true,
});
const level = Number(values.level);
const sizeBytes = Number(values.size) * 1e6;

/** The machine may be shared: time of this process, not of the clock. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function compress(bytes: Uint8Array, zstdLevel: number): number {
  const params = { [constants.ZSTD_c_compressionLevel]: zstdLevel };
  return zstdCompressSync(bytes, { params }).length;
}

console.log(
  "file".padEnd(16),
  ...["zstd -3", "block", "of zstd", "index", "encode@3", "decode", "columns"].map((name) =>
    name.padStart(9),
  ),
);
for (const path of positionals) {
  const run = readRun(path);
  const { size } = statSync(path);
  const source = size < Math.min(sizeBytes, LONGEST_REPEATED) ? repeatRun(run, sizeBytes) : [run];
  const sum = { raw: 0, zstd: 0, index: 0, content: 0, encodeMs: 0, decodeMs: 0, columnsMs: 0 };
  let dictionary: BlockDictionary | undefined;
  for (const piece of cutRuns(source, BLOCK_BYTES)) {
    if (sum.raw > sizeBytes) break;
    if (values.dictionary && sum.raw === 0) {
      dictionary = sampleDictionary([encodeBlock([piece], 1).text]);
      if (dictionary !== undefined) sum.content += compress(dictionary.bytes, 9);
    }
    const block = encodeBlock([piece], level, dictionary);
    sum.raw += block.rawBytes;
    sum.index += block.index.length;
    sum.content += block.content.length;
    sum.zstd += compress(piece.columns.bodies, 3);
    if (values.quick) continue;
    const start = cpuMs();
    const fast = encodeBlock([piece], 3, dictionary);
    sum.encodeMs += cpuMs() - start;
    const index = decodeIndex(fast.index, fast.indexRawBytes);
    if (!index.ok) throw new Error(index.error.detail);
    const from = cpuMs();
    const text = decodeText(fast.content, fast.contentRawBytes, index.value, dictionary);
    sum.decodeMs += cpuMs() - from;
    if (!text.ok) throw new Error(text.error.detail);
    const at = cpuMs();
    const columns = text.value.columns(0, index.value.count);
    sum.columnsMs += cpuMs() - at;
    if (!Buffer.from(columns.bodies).equals(piece.columns.bodies))
      throw new Error(`${path} differs`);
  }
  const stored = sum.index + sum.content;
  console.log(
    basename(path).slice(0, 16).padEnd(16),
    ...[sum.zstd / sum.raw, stored / sum.raw, stored / sum.zstd, sum.index / sum.raw].map((part) =>
      part.toFixed(4).padStart(9),
    ),
    ...[sum.encodeMs, sum.decodeMs, sum.columnsMs].map((ms) =>
      (sum.raw / 1e3 / ms).toFixed(0).padStart(9),
    ),
  );
}
