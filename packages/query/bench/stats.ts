/**
 * How fast records are grouped: `node packages/query/bench/stats.ts`, with the package built.
 *
 * 100 blocks of 10,000 generated records, every one of which matches; in records over the best of 7 rounds.
 */
import type { RecordColumns } from "@sluice/protocol";
import { cpus } from "node:os";
import { parseQuery } from "../src/parser.ts";
import { createPipeline } from "../src/pipeline.ts";

const BLOCKS = 100;
const RECORDS = 10_000;
const ROUNDS = 7;
const SEVERITIES = [9, 9, 9, 13, 17];
const UNITS = ["nginx.service", "ssh.service", "cron.service"];

const STAGES = [
  "stats count()",
  "stats count() by host",
  "stats count() by level",
  "stats count() by host, 5m",
  "stats count() by level, 5m",
  "stats max(time) by host",
  "stats count() by unit",
  "stats count() by unit, 5m",
  "stats count() by status",
  "stats avg(took) by host",
  "stats p95(took), uniq(status)",
  "top 10 took",
];

function makeBlock(block: number): RecordColumns {
  const numbers = Array.from({ length: RECORDS }, (_, i) => block * RECORDS + i);
  const lines = numbers.map(
    (n) =>
      `web-1 nginx[77]: GET /api/v1/items/${n} status=${n % 9 === 0 ? 502 : 200} took=${n % 997}\n`,
  );
  const bodyOffsets = new Uint32Array(RECORDS + 1);
  lines.forEach((line, i) => (bodyOffsets[i + 1] = (bodyOffsets[i] ?? 0) + line.length));
  return {
    count: RECORDS,
    timesUs: Float64Array.from(numbers, (n) => n * 20_000),
    severities: Uint8Array.from(numbers, (n) => SEVERITIES[n % SEVERITIES.length] ?? 0),
    bodyOffsets,
    bodies: Buffer.from(lines.join("")),
    attributes: numbers.map((n) => ({ unit: UNITS[n % UNITS.length] ?? "" })),
  };
}

const blocks = Array.from({ length: BLOCKS }, (_, block) => makeBlock(block));
const everyIndex = Array.from({ length: RECORDS }, (_, i) => i);
const STREAM = { host: "web-1", source: "/var/log/nginx", labels: {} };
const OTHER_STREAM = { ...STREAM, host: "web-2" };

process.stdout.write(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}\n`);
process.stdout.write(
  `${"stages".padEnd(32)}${"Mrecords/s".padStart(12)}${"one by one".padStart(12)}\n`,
);
for (const text of STAGES) {
  const parsed = parseQuery(`* | ${text}`);
  if (!parsed.ok) {
    throw new Error(`${text}: ${parsed.error.message}`);
  }
  const { stages } = parsed.value;
  const rates = [true, false].map((many) => {
    let bestMs = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const startMs = performance.now();
      const pipeline = createPipeline(stages, { emit: () => {} });
      for (const [block, columns] of blocks.entries()) {
        const stream = block % 2 === 0 ? STREAM : OTHER_STREAM;
        if (many) {
          pipeline.pushMany(stream, columns, everyIndex);
        } else {
          everyIndex.forEach((index) => pipeline.push(stream, columns, index));
        }
      }
      pipeline.finish();
      bestMs = Math.min(bestMs, performance.now() - startMs);
    }
    return ((BLOCKS * RECORDS) / 1e6 / (bestMs / 1000)).toFixed(1).padStart(12);
  });
  process.stdout.write(`${text.padEnd(32)}${rates.join("")}\n`);
}
