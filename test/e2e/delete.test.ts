import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { zstdDecompressSync } from "node:zlib";
import Database from "better-sqlite3";
import { expect, test } from "vitest";

import { eventually } from "../src/eventually.ts";
import { onlyWhereAllAreWanted } from "../src/long-test.ts";
import { Site } from "../src/site.ts";

const WITHIN_MS = 30_000;

/** Every tenth line is a secret one. */
function lines(from: number, count: number): string {
  return Array.from({ length: count }, (_, i) => {
    const number = from + i;
    const word = number % 10 === 3 ? `canary${number}` : "ordinary";
    return `${new Date(1_795_000_000_000 + number * 1000).toISOString()} line ${number} password ${word}\n`;
  }).join("");
}

/** All text of a segment that can be decompressed: of blocks without a dictionary, and of dictionaries. */
function textOf(path: string): string {
  const db = new Database(path, { readonly: true });
  const blobs = [
    ...db.prepare("SELECT content FROM blocks").pluck().all(),
    ...db.prepare("SELECT bytes FROM dictionaries").pluck().all(),
  ] as Buffer[];
  db.close();
  return blobs.map(decompressed).join("\n");
}

/** zstd frames begin with their magic number, whatever is packed around them. */
function decompressed(bytes: Buffer): string {
  let text = "";
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1)) {
    try {
      text += zstdDecompressSync(bytes.subarray(at)).toString("latin1");
    } catch {
      // Not the beginning of a frame, or one that needs a dictionary.
    }
  }
  return text;
}

function segments(site: Site): string[] {
  return readdirSync(join(site.dataDir, "segments"), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test("sluice delete takes what it has shown out of the files, and nothing else", async () => {
  await using site = new Site();
  const { port } = await site.startCollector();
  const file = join(site.logDir, "app.log");
  writeFileSync(file, lines(0, 2_000));
  await site.startAgent({ port, files: [file] });
  await site.untilStored(2_000);
  const flags = site.asking(port);
  expect((await site.sluice("compact", ...flags)).code).toBe(0);
  const before = segments(site);
  expect(before.map(textOf).join("")).toContain("canary13");
  appendFileSync(file, lines(2_000, 100));
  await site.untilStored(2_100);

  const unasked = await site.sluice("delete", "canary*", ...flags);
  expect(unasked.code).toBe(2);
  const dry = await site.sluice("delete", "canary*", "--dry-run", "--json", ...flags);
  expect(JSON.parse(dry.stdout)).toMatchObject({ lines: 210, streamCount: 1 });
  const done = await site.sluice("delete", "canary*", "--yes", "--wait", "--json", ...flags);
  expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(done.stdout)).toMatchObject({ lines: 210, isGone: true });

  const after = segments(site);
  expect(after.filter((path) => before.includes(path))).toEqual([]);
  expect(after.map(textOf).join("")).not.toContain("canary");
  // The head is empty of payloads by now: what lies in it is no compressed text at all.
  const head = ["head.db", "head.db-wal"].map((name) => readFileSync(join(site.dataDir, name)));
  expect(head.map(decompressed).join("")).not.toContain("canary");
  expect((await site.sluice("query", "canary*", ...flags)).code).toBe(1);
  const rest = await site.sluice("query", "*", "--count", ...flags);
  expect(rest.stdout).toBe("1890\n");
  const jobs = await site.sluice("jobs", "--json", ...flags);
  expect(JSON.parse(jobs.stdout)).toContainEqual(
    expect.objectContaining({
      kind: "delete",
      detail: "canary*",
      outcome: expect.objectContaining({ records: 210 }) as unknown,
    }),
  );
  expect((await site.sluice("doctor", "--deep", ...flags)).code).toBe(0);
});

/** Behind the order: before the job has begun, in the midst of it, and when it is over. */
const KILLED_AFTER_MS = [0, 15, 40, 80, 160, 320];

test("a collector that is killed behind the order goes on with it when it starts again", async (context) => {
  onlyWhereAllAreWanted(context);
  await using site = new Site();
  const file = join(site.logDir, "app.log");
  writeFileSync(file, lines(0, 6_000));
  let { collector, port } = await site.startCollector();
  const agent = await site.startAgent({ port, files: [file] });
  await site.untilStored(6_000);
  await agent.stop();
  let left = 6_000;
  for (const [round, afterMs] of KILLED_AFTER_MS.entries()) {
    if (round === 2) {
      await site.sluice("compact", ...site.asking(port));
    }
    const query = `canary${round + 1}*`;
    const args = ["delete", query, "--yes", "--json", ...site.asking(port)];
    const ordered = JSON.parse((await site.sluice(...args)).stdout) as { readonly lines: number };
    expect(ordered.lines).toBeGreaterThan(5);
    left -= ordered.lines;
    await delay(afterMs);
    await collector.kill();
    ({ collector, port } = await site.startCollector());
    expect((await site.sluice("query", query, ...site.asking(port))).code).toBe(1);
  }
  const flags = site.asking(port);
  await eventually(
    () => (segments(site).every((path) => !/canary[1-6]/.test(textOf(path))) ? true : undefined),
    WITHIN_MS,
    () => `some of it is still there\n${site.logTails()}`,
  );
  expect((await site.sluice("query", "*", "--count", ...flags)).stdout).toBe(`${left}\n`);
  const doctor = await site.sluice("doctor", "--deep", ...flags);
  expect({ code: doctor.code, stdout: doctor.code === 0 ? "" : doctor.stdout }).toEqual({
    code: 0,
    stdout: "",
  });
});
