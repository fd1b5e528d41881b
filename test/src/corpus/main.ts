import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { KINDS, generateLines } from "./generate.ts";
import type { GenerateOptions } from "./generate.ts";

const USAGE =
  "node test/dist/corpus/main.js --kind syslog|nginx|json|java|mix --size 200MB --seed 1 --out FILE [--start 2026-11-22T08:00:00Z] [--rate LINES_PER_SECOND]";

const OPTIONS = new Set(["kind", "size", "seed", "start", "rate", "out"]);
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

/** The options on the command line, or undefined where they are wrong. */
function readOptions(): (GenerateOptions & { readonly out: string }) | undefined {
  const { values } = parseArgs({
    // Unknown options are reported as usage below, not thrown.
    strict: false,
    options: {
      kind: { type: "string", default: "syslog" },
      size: { type: "string", default: "200MB" },
      seed: { type: "string", default: "1" },
      start: { type: "string", default: "2026-11-22T08:00:00Z" },
      rate: { type: "string", default: "1000" },
      out: { type: "string" },
    },
  });
  const { kind: kindName, size, start, out, ...numbers } = values;
  const kind = KINDS.find((known) => known === kindName);
  const bytes = sizeBytes(String(size));
  const startUs = Date.parse(String(start)) * 1000;
  const seed = Number(numbers.seed);
  const linesPerSecond = Number(numbers.rate);
  const known = Object.keys(values).every((name) => OPTIONS.has(name));
  if (!known || kind === undefined || typeof out !== "string") return undefined;
  if (!Number.isSafeInteger(bytes) || !Number.isSafeInteger(seed)) return undefined;
  if (!(startUs >= 0) || !(linesPerSecond > 0)) return undefined;
  return { kind, seed, bytes, startUs, linesPerSecond, out };
}

/** Writes a file of generated log lines; returns the exit code: 0, or 2 for wrong usage. */
async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(`usage: ${USAGE}\n`);
    return 2;
  }
  await pipeline(Readable.from(generateLines(options)), createWriteStream(options.out));
  return 0;
}

process.exitCode = await main();
