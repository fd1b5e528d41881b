import { readFileSync } from "node:fs";
import { encodeBlock } from "../src/block/block-encoder.ts";
import { decodeIndex } from "../src/block/block-index.ts";
import { decodeText } from "../src/block/block-text.ts";
import type { Run } from "../src/block/run.ts";
import { lineTimeUs } from "./line-time.ts";

const LF = 0x0a;
const SECOND_US = 1_000_000;
/** Lines that span years are moved on by less than that: their times must not leave the range. */
const LONGEST_SHIFT_US = 7 * 86_400 * SECOND_US;

/** The lines of a file as one run, each with the time that it names; severities by the level that it names. */
export function readRun(path: string): Run {
  return runOfBodies(readFileSync(path), (line, lastUs) => lineTimeUs(line, lastUs));
}

function runOfBodies(bodies: Buffer, timeOf: (line: string, lastUs: number) => number): Run {
  const ends: number[] = [];
  for (let at = bodies.indexOf(LF); at >= 0; at = bodies.indexOf(LF, at + 1)) ends.push(at + 1);
  const count = ends.length;
  const bodyOffsets = new Uint32Array(count + 1);
  const timesUs = new Float64Array(count);
  const severities = new Uint8Array(count);
  let lastUs = 0;
  let start = 0;
  for (let i = 0; i < count; i++) {
    const end = ends[i] ?? 0;
    const line = bodies.toString("latin1", start, Math.min(end - 1, start + 400));
    lastUs = timeOf(line, lastUs);
    timesUs[i] = lastUs;
    severities[i] = severityOf(line);
    bodyOffsets[i + 1] = end;
    start = end;
  }
  return {
    streamId: 1,
    columns: {
      count,
      timesUs,
      severities,
      bodyOffsets,
      bodies: bodies.subarray(0, start),
      attributes: undefined,
    },
    seqs: Float64Array.from({ length: count }, (_, i) => i),
    arrivals: [{ count, receivedUs: lastUs, batchId: 1 }],
  };
}

function severityOf(line: string): number {
  const level = /\b(?:debug|info|notice|warn|error|fatal|D|I|W|E)\b/i.exec(line)?.[0].toLowerCase();
  return level === undefined
    ? 9
    : ({ d: 5, i: 9, n: 10, w: 13, e: 17, f: 21 }[level.charAt(0)] ?? 9);
}

/** The same lines over and over, their timestamps moved on each time, until there are `bytes` of them. */
export function* repeatRun(run: Run, bytes: number): Generator<Run> {
  const block = encodeBlock([run], 1);
  const index = decodeIndex(block.index, block.indexRawBytes);
  if (!index.ok) throw new Error(index.error.detail);
  const { timesUs } = index.value;
  const spanUs =
    timesUs.reduce((a, b) => Math.max(a, b)) - timesUs.reduce((a, b) => Math.min(a, b));
  const shiftUs = Math.min((Math.floor(spanUs / SECOND_US) + 1) * SECOND_US, LONGEST_SHIFT_US);
  for (let made = 0, round = 0; made < bytes; round++) {
    const shifted = { ...index.value, timesUs: timesUs.map((timeUs) => timeUs + round * shiftUs) };
    const text = decodeText(block.content, block.contentRawBytes, shifted);
    if (!text.ok) throw new Error(text.error.detail);
    const columns = text.value.columns(0, index.value.count);
    yield { ...run, columns };
    made += columns.bodies.length;
  }
}

/** Cuts runs that follow each other into runs of about `blockBytes`. */
export function* cutRuns(runs: Iterable<Run>, blockBytes: number): Generator<Run> {
  let rest: Run[] = [];
  let seq = 0;
  for (const run of runs) {
    rest.push(run);
    const bytes = rest.reduce((sum, { columns }) => sum + columns.bodies.length, 0);
    if (bytes < blockBytes) continue;
    const joined = join(rest);
    rest = [];
    const { columns } = joined;
    let from = 0;
    for (let i = 1; i <= columns.count; i++) {
      const size = (columns.bodyOffsets[i] ?? 0) - (columns.bodyOffsets[from] ?? 0);
      if (size < blockBytes && i < columns.count) continue;
      const piece = slice(joined, from, i, seq);
      from = i;
      if (size < blockBytes) rest.push(piece);
      else {
        seq += piece.columns.count;
        yield piece;
      }
    }
  }
  if (rest.length > 0) yield join(rest);
}

function join(runs: readonly Run[]): Run {
  const [first] = runs;
  if (first === undefined) throw new RangeError("no runs");
  if (runs.length === 1) return first;
  const bodies = Buffer.concat(runs.map(({ columns }) => columns.bodies));
  const count = runs.reduce((sum, { columns }) => sum + columns.count, 0);
  const joined = {
    timesUs: new Float64Array(count),
    severities: new Uint8Array(count),
    bodyOffsets: new Uint32Array(count + 1),
  };
  let at = 0;
  let offset = 0;
  for (const { columns } of runs) {
    joined.timesUs.set(columns.timesUs, at);
    joined.severities.set(columns.severities, at);
    for (let i = 1; i <= columns.count; i++)
      joined.bodyOffsets[at + i] = offset + (columns.bodyOffsets[i] ?? 0);
    at += columns.count;
    offset += columns.bodies.length;
  }
  return slice(
    { ...first, columns: { count, bodies, ...joined, attributes: undefined } },
    0,
    count,
    0,
  );
}

function slice(run: Run, from: number, to: number, firstSeq: number): Run {
  const { columns } = run;
  const start = columns.bodyOffsets[from] ?? 0;
  const count = to - from;
  return {
    ...run,
    columns: {
      count,
      timesUs: columns.timesUs.slice(from, to),
      severities: columns.severities.slice(from, to),
      bodyOffsets: columns.bodyOffsets.slice(from, to + 1).map((offset) => offset - start),
      bodies: columns.bodies.subarray(start, columns.bodyOffsets[to]),
      attributes: undefined,
    },
    seqs: Float64Array.from({ length: count }, (_, i) => firstSeq + i),
    arrivals: [{ count, receivedUs: 0, batchId: firstSeq }],
  };
}
