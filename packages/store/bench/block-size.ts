/**
 * What blocks of about 1 MiB come to, against `zstd -3` of the same text cut alike:
 *
 *     node bench/block-size.ts [--level 6] [--size 20] [--parts] FILE...
 *
 * A file below `--size` MB is repeated with its times moved on. Level 3 is measured beside for speed.
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { constants, zstdCompressSync } from "node:zlib";
import { encodeBlock } from "../src/block/block-encoder.ts";
import { decodeIndex } from "../src/block/block-index.ts";
import { decodeText } from "../src/block/block-text.ts";
import { cutRuns, readRun, repeatRun } from "./log-runs.ts";

const BLOCK_BYTES = Number(process.env.BB ?? 1 << 20);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    level: { type: "string", default: "6" },
    size: { type: "string", default: "20" },
    quick: { type: "boolean", default: false },
  },
});
const level = Number(values.level);
const bytes = Number(values.size) * 1e6;

console.log(
  "file".padEnd(16),
  ...["zstd -3", "block", "of zstd", "index", "encode@3", "decode", "columns"].map((name) =>
    name.padStart(9),
  ),
);
for (const path of positionals) {
  const run = readRun(path);
  const source = statSync(path).size < bytes ? repeatRun(run, bytes) : [run];
  const sum = { raw: 0, zstd: 0, index: 0, content: 0, encodeMs: 0, decodeMs: 0, columnsMs: 0 };
  for (const piece of cutRuns(source, BLOCK_BYTES)) {
    if (sum.raw > bytes) break;
    const block = encodeBlock([piece], level);
    sum.raw += block.rawBytes;
    sum.index += block.index.length;
    sum.content += block.content.length;
    sum.zstd += zstdCompressSync(piece.columns.bodies, {
      params: { [constants.ZSTD_c_compressionLevel]: 3 },
    }).length;
    if (values.quick) continue;
    const start = performance.now();
    const fast = encodeBlock([piece], 3);
    sum.encodeMs += performance.now() - start;
    const index = decodeIndex(fast.index, fast.indexRawBytes);
    if (!index.ok) throw new Error(index.error.detail);
    const from = performance.now();
    const text = decodeText(fast.content, fast.contentRawBytes, index.value);
    sum.decodeMs += performance.now() - from;
    if (!text.ok) throw new Error(text.error.detail);
    const at = performance.now();
    const columns = text.value.columns(0, index.value.count);
    sum.columnsMs += performance.now() - at;
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
