import {
  appendFileSync,
  closeSync,
  openSync,
  renameSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";

import { Site } from "../src/site.ts";
import { StoredData, type StoredGap, type StoredStream } from "../src/stored.ts";

/** A record is cut at so many bytes. */
const RECORD_BYTES = 256 * 1024;
const LONG_LINE_BYTES = 700_000;
const HOLE_BYTES = 1024 * 1024;

interface Accounts {
  readonly stored: number;
  readonly filtered: number;
  readonly gaps: number;
  readonly lost: number;
}

/** The ledger's line in front of the source's own cursor. */
function accountsOf({ source, cursor }: StoredStream): Accounts {
  const [header = ""] = cursor.toString("latin1").split("\n", 1);
  const [mark, start, stored, filtered, , gaps, lost] = header.split(" ");
  if (mark !== "L1" || start !== "0") throw new Error(`${source}: the cursor begins ${header}`);
  return {
    stored: Number(stored),
    filtered: Number(filtered),
    gaps: Number(gaps),
    lost: Number(lost),
  };
}

function knownBytes(gaps: readonly StoredGap[]): number {
  return gaps.reduce((sum, { range }) => sum + (range === "unknown" ? 0 : (range.bytes ?? 0)), 0);
}

function lines(count: number, of: string): string {
  return Array.from({ length: count }, (_, i) => `line ${i} of ${of}\n`).join("");
}

test("at rest, the bytes of each stream are those stored, those filtered and those of its gaps", async () => {
  await using site = new Site();
  const { collector, port } = await site.startCollector();
  const path = (name: string): string => join(site.logDir, name);
  const plain = ["plain.log", "cut.log", "holed.log"].map(path);
  const tagged = ["tagged.log", "tagged-cut.log", "tagged-holed.log"].map(path);
  const files = [...plain, ...tagged];
  const sizes = new Map<string, number>();
  const rotate = (file: string): void => {
    sizes.set(`${file} 1`, statSync(file).size);
    renameSync(file, `${file}.1`);
  };
  for (const file of files) appendFileSync(file, lines(2_000, basename(file)));
  await site.startAgent({
    port,
    files: plain,
    sources: [{ file: tagged, start: "beginning", attributes: { app: "shop" } }],
  });
  await site.untilStored(2_000 * files.length);

  // One file is rotated, behind a line that is too long and one without an end.
  for (const file of [plain[0], tagged[0]] as string[]) {
    appendFileSync(file, `${"x".repeat(LONG_LINE_BYTES)}\nno end`);
    rotate(file);
    appendFileSync(file, lines(10, "the next"));
  }
  // One has a hole, as a writer leaves that goes on at its old place in a file that was cut.
  for (const file of [plain[2], tagged[2]] as string[]) {
    const descriptor = openSync(file, "r+");
    writeSync(descriptor, "behind the hole\n", statSync(file).size + HOLE_BYTES);
    closeSync(descriptor);
  }
  await site.untilStored(2_000 * files.length + 2 * (2 + 10 + 1));
  // One is cut while nothing is read of it.
  await collector.stop();
  for (const file of [plain[1], tagged[1]] as string[]) {
    sizes.set(`${file} 1`, statSync(file).size);
    appendFileSync(file, lines(50, "what is lost"));
    truncateSync(file, 0);
    appendFileSync(file, lines(20, "what follows"));
  }
  await site.startCollector({ port });
  await site.untilStored(2_000 * files.length + 2 * (2 + 10 + 1 + 20));
  await site.untilFinished(4);

  for (const file of files)
    sizes.set(`${file} ${sizes.has(`${file} 1`) ? 2 : 1}`, statSync(file).size);
  using data = StoredData.open(site.dataDir);
  const streams = data.streams();
  expect(streams).toHaveLength(sizes.size);
  for (const stream of streams) {
    const name = `${stream.source} ${stream.generation}`;
    const { stored, filtered, gaps, lost } = accountsOf(stream);
    expect([name, stored + filtered + gaps]).toEqual([name, sizes.get(name)]);
    const ofStream = data.gaps().filter((gap) => `${gap.source} ${gap.generation}` === name);
    expect([name, gaps + lost]).toEqual([name, knownBytes(ofStream)]);
    if (!name.includes("holed")) {
      // A record holds what was kept of its line, and an LF that the last line of a file may lack.
      const isRotated = /(plain|tagged)\.log 1$/.test(name);
      const cutBytes = isRotated ? LONG_LINE_BYTES - RECORD_BYTES - 1 : 0;
      expect([name, stream.bytes]).toEqual([name, stored - cutBytes]);
    }
  }

  const { stdout } = await site.sluice("gaps", "--json", ...site.asking(port));
  const listed = JSON.parse(stdout) as Record<string, unknown>[];
  expect(listed).toHaveLength(data.gaps().length);
  for (const gap of listed) {
    const at = expect.stringMatching(/^20\d\d-.*Z$/) as string;
    expect(gap).toMatchObject({ host: "test-host", noticed: at, received: at });
  }
});
