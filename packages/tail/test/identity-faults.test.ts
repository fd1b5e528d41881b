import {
  closeSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { FileSource } from "../src/file-source.ts";
import { Collector, EAGER_TIMING, Folder } from "./tail-fixture.ts";

/** Removes and creates until the number repeats; ext4 gives it out again at once. */
function recreateWithSameInode(path: string, text: string): boolean {
  const { ino } = statSync(path, { bigint: true });
  for (let tries = 0; tries < 1_000; tries += 1) {
    unlinkSync(path);
    writeFileSync(path, text);
    if (statSync(path, { bigint: true }).ino === ino) return true;
  }
  return false;
}

/** Another process may take the number meanwhile; then it does not repeat. */
const ANOTHER_MAY_TAKE_IT = { retry: 5 };

describe("an inode number that is reused", () => {
  it.each([
    ["other content", "something else, and longer\n"],
    ["the same first line", "one\ntwo\nthree\n"],
    ["the same content", "one\n"],
  ])("is a new file from byte 0: %s", ANOTHER_MAY_TAKE_IT, async (_, text) => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    await collector.restart();
    await collector.stop();
    expect(recreateWithSameInode(path, text)).toBe(true);
    await collector.start();
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\n", text]);
    await collector.stop();
  });
});

interface SavedSource {
  readonly path: string;
  readonly next: number;
  readonly generations: readonly { readonly phase: string; readonly born: string }[];
}

/** A file that had the same number before, was read to its end, and is gone. */
function withFormerOwner(path: string): (state: unknown) => unknown {
  return (state) => {
    const { sources, ...rest } = state as { readonly sources: readonly SavedSource[] };
    const [owner] = sources.flatMap(({ generations }) => generations);
    if (owner === undefined) throw new Error("nothing was saved");
    const born = String(BigInt(owner.born) - 1n);
    const former = { path, next: 2, generations: [{ ...owner, phase: "finished", born }] };
    return { ...rest, sources: [...sources, former] };
  };
}

describe("an inode number that a state knows twice", () => {
  it("is the younger file's, which is found again under another name", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [folder.at("*.log")], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    collector.save(withFormerOwner(folder.at("former.log")));
    await collector.stop();
    folder.append("app.log", "two\n");
    renameSync(path, folder.at("app.log.1"));
    folder.append("app.log", "new\n");
    await collector.start();
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\ntwo\n", "new\n"]);
    expect(collector.lost).toEqual([]);
    await collector.stop();
  });
});

describe("files that look alike", () => {
  it("delivers 50 files with the same first 4 KiB", async () => {
    using folder = new Folder();
    const head = "the same banner in every file\n".repeat(150);
    const collector = new Collector({ include: [folder.at("*.log")], start: "beginning" });
    for (let n = 0; n < 50; n += 1) folder.append(`${n}.log`, `${head}file ${n}\n`);
    await collector.start();
    await collector.settle();
    await collector.restart();
    for (let n = 0; n < 50; n += 1) folder.append(`${n}.log`, "more\n");
    await collector.settle();
    for (let n = 0; n < 50; n += 1) {
      expect(collector.text(folder.at(`${n}.log`))).toBe(`${head}file ${n}\nmore\n`);
    }
    await collector.stop();
  });

  it("tells apart rotated files with the same first 4 KiB", async () => {
    using folder = new Folder();
    const head = "the same banner in every file\n".repeat(150);
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log", `${head}a\n`);
    await collector.start();
    await collector.settle();
    await collector.restart();
    await collector.stop();
    renameSync(path, folder.at("app.log.2"));
    folder.append("app.log.1", `${head}b\n`);
    folder.append("app.log", `${head}c\n`);
    await collector.start();
    await collector.settle();
    expect(collector.generations(path)).toEqual([`${head}a\n`, `${head}b\n`, `${head}c\n`]);
    await collector.stop();
  });

  it.each([false, true])("keeps two files apart that swap names (restart: %s)", async (restart) => {
    using folder = new Folder();
    const [a, b] = [folder.at("a.log"), folder.at("b.log")];
    const collector = new Collector({ include: [folder.at("*.log")], start: "beginning" });
    folder.append("a.log", "long ".repeat(1_000));
    folder.append("b.log", "short");
    await collector.start();
    await collector.settle();
    if (restart) {
      await collector.restart();
      await collector.stop();
    }
    renameSync(a, folder.at("swap"));
    renameSync(b, a);
    renameSync(folder.at("swap"), b);
    if (restart) await collector.start();
    folder.append("a.log", " goes on");
    folder.append("b.log", "goes on");
    await collector.settle();
    expect(collector.text(a)).toBe(`${"long ".repeat(1_000)}goes on`);
    expect(collector.text(b)).toBe("short goes on");
    expect(collector.source.streams()).toHaveLength(2);
    await collector.stop();
  });
});

describe("where reading begins", () => {
  async function startingOffsets(
    start: "end" | "beginning" | { withinMs: number },
    text: string,
  ): Promise<string> {
    using folder = new Folder();
    folder.append("app.log", text);
    const collector = new Collector({ include: [folder.at("*")], start });
    await collector.start();
    collector.save();
    await collector.settle();
    folder.append("app.log", "+more\n");
    folder.append("later.log", "later\n");
    await collector.settle();
    expect(collector.text(folder.at("later.log"))).toBe("later\n");
    await collector.stop();
    return collector.text(folder.at("app.log"));
  }

  it.each([
    ["after the last complete line", "end", "one\ntwo\npart", "part+more\n"],
    ["at the end of complete lines", "end", "one\ntwo\n", "+more\n"],
    ["at byte 0 of a line that is not complete", "end", "part", "part+more\n"],
    ["at byte 0 of an empty file", "end", "", "+more\n"],
    ["after the last line of a long file", "end", `${"x".repeat(200_000)}\npart`, "part+more\n"],
    [
      "at byte 0 before a long partial line",
      "end",
      "y".repeat(70_000),
      `${"y".repeat(70_000)}+more\n`,
    ],
    ["at byte 0", "beginning", "one\npart", "one\npart+more\n"],
    ["at byte 0 of a recent file", { withinMs: 60_000 }, "one\npart", "one\npart+more\n"],
    ["at the end of an old file", { withinMs: -60_000 }, "one\npart", "part+more\n"],
  ] as const)("%s", async (_, start, text, expected) => {
    expect(await startingOffsets(start, text)).toBe(expected);
  });

  it("delivers lines written while stopped right after a first start at the end", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("app.log")], start: "end" });
    folder.append("app.log", "old\n");
    await collector.start();
    await collector.restart();
    await collector.stop();
    folder.append("app.log", "new\n");
    await collector.start();
    await collector.settle();
    expect(collector.text(folder.at("app.log"))).toBe("new\n");
    await collector.stop();
  });

  it("delivers one byte and a newline", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("app.log")], start: "end" });
    await collector.start();
    folder.append("app.log", "x\n");
    await collector.settle();
    expect(collector.text(folder.at("app.log"))).toBe("x\n");
    await collector.stop();
  });

  it("reads all generations of a log that appeared and was rotated between two scans", async () => {
    using folder = new Folder();
    folder.append("other.log", "x\n");
    const collector = new Collector({ include: [folder.at("*.log")], start: "end" });
    await collector.start();
    folder.append("app.log", "one\n");
    renameSync(folder.at("app.log"), folder.at("app.log.1"));
    folder.append("app.log", "two\n");
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual(["one\n", "two\n"]);
    await collector.stop();
  });
});

describe("state", () => {
  it("is rebuilt from the cursors of unfinished streams", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log.1", "shipped before\n");
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    const [stored] = collector.deliveries.values();
    await collector.stop();
    folder.append("app.log", "two\n");
    renameSync(folder.at("app.log.1"), folder.at("app.log.3"));
    renameSync(path, folder.at("app.log.2"));
    folder.append("app.log.1", "three\n");
    folder.append("app.log", "four\n");
    const created = FileSource.create({ ...collector.options, timing: EAGER_TIMING });
    if (!created.ok || stored === undefined) throw new Error("no source");
    await using source = created.value;
    expect(source.restore({ source: path, generation: 7 }, stored.cursor).ok).toBe(true);
    await source.start();
    const texts: string[] = [];
    for (const stream of source.streams()) {
      await using reader = source.reader(stream);
      const target = new Uint8Array(100);
      const outcome = await reader.read(target, 0, AbortSignal.timeout(5_000));
      const length = outcome.kind === "bytes" ? outcome.length : 0;
      texts.push(`${stream.generation} ${Buffer.from(target.subarray(0, length)).toString()}`);
    }
    // The sibling that was older than the restored file took number 8 and is not read.
    expect(texts).toEqual(["7 two\n", "9 three\n", "10 four\n"]);
  });

  it.each([
    ["text", "{}"],
    ["nothing", null],
    ["another version", { v: 2, scannedAtMs: 0, sources: [] }],
    ["a source without a path", { v: 1, scannedAtMs: 0, sources: [{ next: 1, generations: [] }] }],
    [
      "a generation of another shape",
      { v: 1, scannedAtMs: 0, sources: [{ path: "/a", next: 2, generations: [{ n: 1 }] }] },
    ],
  ])("is refused where it is %s", (_, state) => {
    const created = FileSource.create({ include: ["/nowhere"], start: "end", state });
    expect(created).toMatchObject({ ok: false, error: { code: "state-invalid" } });
  });

  it("is the same after a round trip", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("*")], start: "beginning" });
    folder.append("app.log.1", "a\n");
    folder.append("app.log", "b\n");
    await collector.start();
    await collector.settle();
    const before: unknown = JSON.parse(JSON.stringify(collector.source.snapshot()));
    const created = FileSource.create({ ...collector.options, state: before });
    if (!created.ok) throw new Error(created.error.detail);
    expect(JSON.parse(JSON.stringify(created.value.snapshot()))).toEqual(before);
    await collector.stop();
  });
});

describe("a file of which nothing was read, cut and grown again behind the same first 4 KiB", () => {
  const banner = "the same banner in every file\n".repeat(150);

  it.each([
    ["while no agent ran", undefined],
    ["before an agent that looked at it", Buffer.byteLength(`${banner}one\n`)],
  ])("%s, is not taken for itself", async (_, knownBytes) => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log", `${banner}one\n`);
    await collector.start();
    collector.save();
    if (knownBytes === undefined) await collector.stop();
    writeFileSync(path, "");
    folder.append("app.log", `${banner}two, and longer\n`);
    if (knownBytes === undefined) await collector.start();
    await collector.settle();
    expect(collector.lost).toEqual([
      { kind: "lost", reason: "truncated", fromByte: 0, knownBytes },
    ]);
    expect(collector.generations(path)).toEqual(["", `${banner}two, and longer\n`]);
    await collector.stop();
  });

  it("is the same where its writer has only used space that it had reserved", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    writeFileSync(path, Buffer.concat([Buffer.from(`${banner}one\n`), Buffer.alloc(100)]));
    await collector.start();
    writeAt(path, Buffer.byteLength(`${banner}one\n`), "two\n");
    await collector.settle();
    expect(collector.lost).toEqual([]);
    expect(collector.generations(path)[0]).toContain("one\ntwo\n");
    await collector.stop();
  });
});

function writeAt(path: string, position: number, text: string): void {
  const file = openSync(path, "r+");
  writeSync(file, text, position);
  closeSync(file);
}
