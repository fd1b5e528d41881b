import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { basename } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { FileSource } from "../src/file-source.ts";
import type { ReadOutcome, StreamReader } from "../src/source.ts";
import { Collector, EAGER_TIMING, Folder } from "./tail-fixture.ts";

const NEVER = new AbortController().signal;
const GIB = 1024 ** 3;

/** A writer that goes on at its old place in a file that was cut. */
function writeAt(path: string, offset: number, text: string): void {
  const fd = openSync(path, "r+");
  writeSync(fd, text, offset);
  closeSync(fd);
}

async function reading(folder: Folder): Promise<{ source: FileSource; reader: StreamReader }> {
  const created = FileSource.create({
    include: [folder.at("*.log")],
    start: "beginning",
    timing: EAGER_TIMING,
  });
  if (!created.ok) throw new Error(created.error.detail);
  await created.value.start();
  const [stream] = created.value.streams();
  if (stream === undefined) throw new Error("no stream");
  return { source: created.value, reader: created.value.reader(stream) };
}

/** Everything until nothing is left; bytes as text, joined where they follow each other. */
async function outcomes(
  reader: StreamReader,
  targetBytes: number,
): Promise<(string | ReadOutcome)[]> {
  const target = new Uint8Array(targetBytes);
  const seen: (string | ReadOutcome)[] = [];
  for (;;) {
    const outcome = await reader.read(target, 0, NEVER);
    if (outcome.kind !== "bytes") {
      if (outcome.kind === "idle") return seen;
      seen.push(outcome);
      if (outcome.kind !== "hole") return seen;
      continue;
    }
    const text = Buffer.from(target.subarray(0, outcome.length)).toString("latin1");
    const last = seen.at(-1);
    if (typeof last === "string") seen[seen.length - 1] = last + text;
    else seen.push(text);
  }
}

describe("NUL bytes that a stale writer leaves behind a cut", () => {
  it("are a hole of 1 GiB that is passed over quickly, and takes no memory", async () => {
    using folder = new Folder("/dev/shm");
    folder.append("a.log", "one\n");
    writeAt(folder.at("a.log"), GIB, "two\n");
    const { source, reader } = await reading(folder);
    const rssBefore = process.memoryUsage().rss;
    expect(await outcomes(reader, 65_536)).toEqual([
      "one\n",
      { kind: "hole", offset: 4, length: GIB - 4 },
      "two\n",
    ]);
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(32 * 1024 * 1024);
    expect((await reader.seek(reader.cursorAt(reader.offset))).ok).toBe(true);
    await reader[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  });

  it.each([
    ["too few to be a hole", 4_095, 100_000, ["a".repeat(10) + "\0".repeat(4_095) + "b"]],
    [
      "just a hole",
      4_096,
      100_000,
      ["a".repeat(10), { kind: "hole", offset: 10, length: 4_096 }, "b"],
    ],
    [
      "a hole across reads",
      9_000,
      700,
      ["a".repeat(10), { kind: "hole", offset: 10, length: 9_000 }, "b"],
    ],
    [
      "a hole, byte by byte",
      4_097,
      1,
      ["a".repeat(10), { kind: "hole", offset: 10, length: 4_097 }, "b"],
    ],
    ["few, across reads", 1_000, 300, ["a".repeat(10) + "\0".repeat(1_000) + "b"]],
  ] as const)("are %s", async (_, nuls, targetBytes, expected) => {
    using folder = new Folder();
    folder.append("a.log", `${"a".repeat(10)}${"\0".repeat(nuls)}b`);
    const { source, reader } = await reading(folder);
    expect(await outcomes(reader, targetBytes)).toEqual(expected);
    await reader[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  });

  it("at the end of a file are waited for: its writer may have reserved them", async () => {
    using folder = new Folder();
    folder.append("a.log", "one\n");
    truncateSync(folder.at("a.log"), 1024 * 1024);
    const { source, reader } = await reading(folder);
    expect(await outcomes(reader, 1000)).toEqual(["one\n"]);
    writeAt(folder.at("a.log"), 4, "two\n");
    await reader.changed(AbortSignal.timeout(5_000));
    expect(await outcomes(reader, 1000)).toEqual(["two\n"]);
    renameSync(folder.at("a.log"), folder.at("a.log.1"));
    await source.rescan();
    expect(await outcomes(reader, 1000)).toEqual([
      { kind: "hole", offset: 8, length: 1024 * 1024 - 8 },
      { kind: "ended", reason: "rotated" },
    ]);
    await reader[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  });
});

describe("2,000 files", () => {
  const FILES = 2_000;
  const MAX = 128;

  function heldDescriptors(folder: Folder): number {
    return readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder.path);
      } catch {
        return false;
      }
    }).length;
  }

  it("are all read exactly once, through a bounded number of descriptors", async () => {
    using folder = new Folder("/dev/shm");
    for (let n = 0; n < FILES; n += 1) folder.append(`${n}.log`, `first ${n}\n`);
    const collector = new Collector({
      include: [folder.at("*.log")],
      start: "beginning",
      maxHeldFiles: MAX,
    });
    await collector.start();
    expect(heldDescriptors(folder)).toBeLessThanOrEqual(MAX);
    for (const stream of collector.source.streams()) await collector.drain(stream);
    expect(heldDescriptors(folder)).toBeLessThanOrEqual(MAX);
    for (let n = 0; n < FILES; n += 1) folder.append(`${n}.log`, `second ${n}\n`);
    for (let n = 0; n < 50; n += 1) {
      renameSync(folder.at(`${n}.log`), folder.at(`${n}.log.1`));
      folder.append(`${n}.log`, `third ${n}\n`);
    }
    await collector.settle();
    // Files that were rotated keep theirs until they are read.
    expect(heldDescriptors(folder)).toBeLessThanOrEqual(MAX + 50);
    for (let n = 0; n < FILES; n += 1) {
      const third = n < 50 ? `third ${n}\n` : "";
      expect(collector.text(folder.at(`${n}.log`))).toBe(`first ${n}\nsecond ${n}\n${third}`);
    }
    expect(collector.lost).toEqual([]);
    await collector.stop();
  }, 60_000);

  /** Readers of 300 quiet files, most of them closed, that wait for changes. */
  async function waiting(folder: Folder, use: (collector: Collector) => Promise<void>) {
    for (let n = 0; n < 300; n += 1) folder.append(`${n}.log`, "x");
    const collector = new Collector({
      include: [folder.at("*.log")],
      start: "beginning",
      maxHeldFiles: MAX,
      timing: { idlePollMs: 60_000, activeMs: 0, pollMs: 100 },
    });
    await collector.start();
    await collector.settle();
    await use(collector);
    await collector.stop();
  }

  it("wake the reader of one whose descriptor was closed when it grows", async () => {
    using folder = new Folder("/dev/shm");
    await waiting(folder, async (collector) => {
      const [first] = collector.source.streams();
      if (first === undefined) throw new Error("no stream");
      const changed = (await collector.reader(first)).changed(AbortSignal.timeout(10_000));
      folder.append(first.source.slice(folder.path.length + 1), "y");
      await collector.rescan();
      await changed;
      await collector.drain(first);
      expect(collector.text(first.source)).toBe("xy");
    });
  });

  it("let the loop go on where one was deleted whose descriptor was closed", async () => {
    using folder = new Folder("/dev/shm");
    await waiting(folder, async (collector) => {
      const [first] = collector.source.streams();
      if (first === undefined) throw new Error("no stream");
      const reader = await collector.reader(first);
      // It is written to and read, which a scan does not see, and closed in favour of others.
      folder.append(basename(first.source), "y");
      await reader.seek(reader.cursorAt(reader.offset));
      await collector.drain(first);
      for (const stream of collector.source.streams()) {
        if (stream.source === first.source) continue;
        const other = await collector.reader(stream);
        await other.seek(other.cursorAt(other.offset));
        await collector.drain(stream);
      }
      unlinkSync(first.source);
      const signal = AbortSignal.timeout(10_000);
      expect(await reader.read(new Uint8Array(9), 0, signal)).toEqual({ kind: "idle" });
      const changed = reader.changed(signal).then(() => "changed");
      expect(await Promise.race([changed, nextTurn("the loop goes on")])).toBe("the loop goes on");
      await changed;
    });
  });

  it.each([
    { text: "y", quietMs: 0, lost: [{ reason: "deleted", fromByte: 2, knownBytes: undefined }] },
    { text: "", quietMs: 0, lost: [{ reason: "deleted", fromByte: 1, knownBytes: undefined }] },
    { text: "", quietMs: 120_000, lost: [] },
  ])(
    "may have grown where one is deleted that was closed and written to lately: %j",
    async ({ text, quietMs, lost }) => {
      using folder = new Folder("/dev/shm");
      const writtenAt = new Date(Date.now() - quietMs);
      const use = async (collector: Collector): Promise<void> => {
        const [first] = collector.source.streams();
        if (first === undefined) throw new Error("no stream");
        folder.append(basename(first.source), text);
        utimesSync(first.source, writtenAt, writtenAt);
        for (let round = 0; round < 2; round += 1) {
          for (const stream of collector.source.streams()) {
            const other = await collector.reader(stream);
            await other.seek(other.cursorAt(other.offset));
            await collector.drain(stream);
          }
          await collector.rescan();
        }
        expect(heldDescriptors(folder)).toBeLessThanOrEqual(MAX);
        folder.append(basename(first.source), "never seen");
        unlinkSync(first.source);
        await collector.settle();
        expect(collector.lost).toMatchObject(lost);
        expect(collector.lost).toHaveLength(lost.length);
      };
      await waiting(folder, use);
    },
  );

  it("are watched by a bounded number of watches", async () => {
    using folder = new Folder("/dev/shm");
    await waiting(folder, async (collector) => {
      const abort = new AbortController();
      const before = watches();
      const waits: Promise<void>[] = [];
      for (const stream of collector.source.streams()) {
        // Reading opens it, and closes another.
        const reader = await collector.reader(stream);
        await reader.seek(reader.cursorAt(reader.offset));
        await collector.drain(stream);
        waits.push(reader.changed(abort.signal).catch(() => undefined));
      }
      expect(watches() - before).toBeGreaterThan(0);
      expect(watches() - before).toBeLessThanOrEqual(MAX);
      abort.abort();
      await Promise.all(waits);
    });
  });
});

describe("paths that have no file any more", () => {
  it("are forgotten but for the latest 1,024, and the numbers of their streams do not come again", async () => {
    using folder = new Folder("/dev/shm");
    const gone = Array.from({ length: 1_100 }, (_, n) => ({
      path: folder.at(`${n}.log`),
      next: n === 0 ? 3 : 2,
      generations: [],
    }));
    const state = { v: 1, scannedAtMs: Date.now(), sources: gone };
    const collector = new Collector({ include: [folder.at("*.log")], start: "beginning", state });
    await collector.start();
    const snapshot = collector.source.snapshot() as { sources: { path: string }[] };
    const paths = snapshot.sources.map(({ path }) => path);
    expect(paths).toEqual(gone.slice(-1_024).map(({ path }) => path));
    await collector.restart();
    for (const name of ["0.log", "1.log", "1099.log"]) folder.append(name, "one\n");
    await collector.settle();
    expect(
      collector.source.streams().map(({ source, generation }) => [basename(source), generation]),
    ).toEqual([
      ["0.log", 3],
      ["1.log", 3],
      ["1099.log", 2],
    ]);
    expect(collector.text(folder.at("0.log"))).toBe("one\n");
    unlinkSync(folder.at("0.log"));
    await collector.settle();
    await collector.rescan();
    const after = collector.source.snapshot() as { sources: { path: string; next: number }[] };
    expect(after.sources.at(-1)).toMatchObject({ path: folder.at("0.log"), next: 4 });
    await collector.stop();
  });
});

/** What this process watches, as Linux tells it. */
function watches(): number {
  return readdirSync("/proc/self/fdinfo")
    .map((fd) => {
      try {
        return readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").split("inotify wd:").length - 1;
      } catch {
        return 0;
      }
    })
    .reduce((sum, count) => sum + count, 0);
}
