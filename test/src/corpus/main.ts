import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { KINDS, generateLines } from "./generate.ts";

const USAGE =
  "node test/dist/corpus/main.js --kind syslog|nginx|json|java|mix --size 200MB --seed 1 --out FILE [--start 2026-11-22T08:00:00Z] [--rate LINES_PER_SECOND]";

const SIZE = /^(\d+)(B|kB|MB|GB|KiB|MiB|GiB)?$/;
const UNIT_BYTES = new Map([
  ["kB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
]);

/** The bytes that a size such as `200MB` stands for; NaN where it is none. */
function sizeBytes(text: string): number {
  const [, amount, unit = "B"] = SIZE.exec(text) ?? [];
  return Number(amount) * (UNIT_BYTES.get(unit) ?? 1);
}

/** Writes a file of generated log lines; returns the exit code: 0, or 2 for wrong usage. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kind: { type: "string", default: "syslog" },
      size: { type: "string", default: "200MB" },
      seed: { type: "string", default: "1" },
      start: { type: "string", default: "2026-11-22T08:00:00Z" },
      rate: { type: "string", default: "1000" },
      out: { type: "string" },
    },
  });
  const kind = KINDS.find((known) => known === values.kind);
  const bytes = sizeBytes(values.size);
  const startUs = Date.parse(values.start) * 1000;
  const seed = Number(values.seed);
  const linesPerSecond = Number(values.rate);
  if (
    kind === undefined ||
    !Number.isSafeInteger(bytes) ||
    values.out === undefined ||
    Number.isNaN(startUs) ||
    !Number.isSafeInteger(seed) ||
    !(linesPerSecond > 0)
  ) {
    process.stderr.write(`usage: ${USAGE}\n`);
    return 2;
  }
  const lines = generateLines({ kind, seed, bytes, startUs, linesPerSecond });
  await pipeline(Readable.from(lines), createWriteStream(values.out));
  return 0;
}

process.exitCode = await main();
