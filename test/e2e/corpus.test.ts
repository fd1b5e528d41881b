import { appendFileSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";

import { LOGHUB_DIR, LOGHUB_MISSING } from "../src/corpus/loghub.ts";
import { Prng } from "../src/corpus/prng.ts";
import { hostileLogs } from "../src/hostile-logs.ts";
import { rawQuery } from "../src/raw-query.ts";
import { Site } from "../src/site.ts";
import { slices } from "../src/slices.ts";
import { StoredData } from "../src/stored.ts";

const SEED = 20_261_124;
const LF = 0x0a;

function sampleLogs(): ReadonlyMap<string, Buffer> {
  const names = readdirSync(LOGHUB_DIR).filter((name) => name.endsWith(".log"));
  return new Map(names.map((name) => [name, readFileSync(join(LOGHUB_DIR, name))]));
}

function withFinalLf(bytes: Buffer): Buffer {
  return bytes.at(-1) === LF ? bytes : Buffer.concat([bytes, Buffer.of(LF)]);
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) count++;
  return count;
}

/** Tails all files at once while they grow in random slices; gives what is stored of each. */
async function shipWhileGrowing(
  files: ReadonlyMap<string, Buffer>,
): Promise<ReadonlyMap<string, Buffer>> {
  await using site = new Site();
  const { collector, port } = await site.startCollector();
  const agent = await site.startAgent({ port, files: [join(site.logDir, "*.log")] });
  const random = new Prng(SEED);
  for (const { name, bytes } of slices(files, random, 96 * 1024)) {
    appendFileSync(join(site.logDir, name), bytes);
    await nextTurn();
  }
  const due = [...files.values()].reduce((sum, bytes) => sum + countLines(bytes), 0);
  await site.untilStored(due);
  expect(await agent.stop()).toEqual({ code: 0, signal: null });
  expect(await collector.stop()).toEqual({ code: 0, signal: null });
  using data = StoredData.open(site.dataDir);
  expect(data.gaps()).toEqual([]);
  // One check through the product's own search, for all files together: by source, that is by name.
  const inOrder = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, bytes]) => bytes);
  const printed: Buffer[] = [];
  for await (const chunk of rawQuery(site.product, site.dataDir)) printed.push(chunk);
  expect(Buffer.concat(printed).equals(Buffer.concat(inOrder))).toBe(true);
  return new Map([...files.keys()].map((name) => [name, data.bytes(join(site.logDir, name))]));
}

/** Not `toEqual`: the difference of two large buffers takes minutes to print. */
function expectSameBytes(
  stored: ReadonlyMap<string, Buffer>,
  files: ReadonlyMap<string, Buffer>,
): void {
  const differing = [...files].flatMap(([name, bytes]) => {
    const found = stored.get(name) ?? Buffer.alloc(0);
    if (found.equals(bytes)) return [];
    const at = found.findIndex((byte, index) => byte !== bytes[index]);
    return [`${name}: ${found.length} of ${bytes.length} bytes, first difference at ${at}`];
  });
  expect(differing).toEqual([]);
}

describe("files that grow in slices cut at arbitrary bytes", () => {
  test("arrive byte for byte: the sample corpus, 12 files at once", async (context) => {
    if (LOGHUB_MISSING !== undefined) context.skip(LOGHUB_MISSING);
    const samples = sampleLogs();
    expect(samples.size).toBe(12);
    const files = new Map([...samples].map(([name, bytes]) => [name, withFinalLf(bytes)]));
    expectSameBytes(await shipWhileGrowing(files), files);
  });

  test("arrive byte for byte: stray CR, NUL, invalid UTF-8, all bytes, long and empty lines", async () => {
    const files = hostileLogs(SEED);
    expectSameBytes(await shipWhileGrowing(files), files);
  });
});
