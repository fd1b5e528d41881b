import {
  copyFileSync,
  existsSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { Collector, compress, Folder } from "./tail-fixture.ts";

const NEVER = new AbortController().signal;

/** A copy at a path whose inode number was another file's: ext4 gives it out again at once. */
function copyWithInodeOf(victim: string, original: string, copy: string): boolean {
  const { ino } = statSync(victim, { bigint: true });
  unlinkSync(victim);
  for (let tries = 0; tries < 1_000; tries += 1) {
    copyFileSync(original, copy);
    if (statSync(copy, { bigint: true }).ino === ino) return true;
    unlinkSync(copy);
  }
  return false;
}

/** Another process may take the number meanwhile; then it does not repeat. */
const ANOTHER_MAY_TAKE_IT = { retry: 5 };

async function afterOneRound(folder: Folder): Promise<Collector> {
  const collector = new Collector({ include: [folder.at("app.log")], start: "beginning" });
  folder.append("app.log", "one\n");
  await collector.start();
  await collector.settle();
  copyFileSync(folder.at("app.log"), folder.at("app.log.1"));
  truncateSync(folder.at("app.log"));
  folder.append("app.log", "two\n");
  await collector.settle();
  return collector;
}

describe("a copy that copytruncate makes", () => {
  it.each(["tw", "two\nthree\n"])(
    "is not read for itself before the cut, though older copies have moved (%j)",
    async (copied) => {
      using folder = new Folder();
      const collector = await afterOneRound(folder);
      folder.append("app.log", "three\n");
      renameSync(folder.at("app.log.1"), folder.at("app.log.2"));
      writeFileSync(folder.at("app.log.1"), copied);
      await collector.settle();
      copyFileSync(folder.at("app.log"), folder.at("app.log.1"));
      truncateSync(folder.at("app.log"));
      folder.append("app.log", "four\n");
      await collector.settle();
      expect(collector.generations(folder.at("app.log"))).toEqual([
        "one\n",
        "two\nthree\n",
        "four\n",
      ]);
      await collector.stop();
    },
  );

  it(
    "is found where it has the inode number of an older copy that was deleted",
    ANOTHER_MAY_TAKE_IT,
    async () => {
      using folder = new Folder();
      const collector = await afterOneRound(folder);
      const path = folder.at("app.log");
      folder.append("app.log", "three\n");
      expect(copyWithInodeOf(folder.at("app.log.1"), path, folder.at("app.log.1"))).toBe(true);
      truncateSync(path);
      folder.append("app.log", "four\n");
      await collector.settle();
      expect(collector.generations(path)).toEqual(["one\n", "two\nthree\n", "four\n"]);
      expect(collector.lost).toEqual([]);
      await collector.stop();
    },
  );

  it("is found, though the files begin alike and the state is older than what was read", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const banner = "the same banner in every file\n".repeat(100);
    const cut = (line: string): void => {
      if (existsSync(`${path}.1`)) renameSync(`${path}.1`, `${path}.2`);
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
      folder.append("app.log", `${banner}${line}`);
    };
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log", `${banner}one\n`);
    await collector.start();
    await collector.settle();
    cut("");
    await collector.settle();
    await collector.rescan();
    collector.save();
    folder.append("app.log", "two\n");
    await collector.settle();
    await collector.stop();
    cut("three, and longer\n");
    await collector.start();
    await collector.settle();
    expect(collector.refused).toEqual([]);
    expect(collector.generations(path)).toEqual([
      `${banner}one\n`,
      `${banner}two\n`,
      `${banner}three, and longer\n`,
    ]);
    expect(collector.lost).toEqual([]);
    await collector.stop();
  });

  it(
    "does not take the place of an unread file whose inode number it was given",
    ANOTHER_MAY_TAKE_IT,
    async () => {
      using folder = new Folder();
      const [copied, deleted] = [folder.at("app.log"), folder.at("other.log")];
      const collector = new Collector({ include: [folder.at("*.log")], start: "beginning" });
      folder.append("app.log", "one\n");
      folder.append("other.log", "other\n");
      await collector.start();
      await collector.settle();
      collector.save();
      await collector.stop();
      folder.append("app.log", "two\n");
      expect(copyWithInodeOf(deleted, copied, folder.at("app.log.1"))).toBe(true);
      truncateSync(copied);
      folder.append("app.log", "three\n");
      await collector.start();
      await collector.settle();
      expect(collector.generations(copied)).toEqual(["one\ntwo\n", "three\n"]);
      const own = collector.source.streams().filter(({ source }) => source === deleted);
      expect(own).toEqual([]);
      expect(collector.lost).toMatchObject([{ fromByte: 6, knownBytes: undefined }]);
      await collector.stop();
    },
  );

  it("is no renamed file that begins as the new one does", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    for (const name of ["app.log.2", "app.log.1"]) {
      renameSync(path, folder.at(name));
      folder.append("app.log", "banner\n");
    }
    await collector.settle();
    folder.append("app.log", "more\n");
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\n", "banner\n", "banner\nmore\n"]);
    await collector.stop();
  });
});

describe("bytes written between the copying and the cut", () => {
  /** A log of which four bytes more were seen than its copy holds. */
  async function seenBeyondItsCopy(folder: Folder, rest: string): Promise<Collector> {
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    folder.append("app.log", rest);
    copyFileSync(path, `${path}.1`);
    folder.append("app.log", "two\n");
    await collector.rescan();
    return collector;
  }

  it.each(["", "read from the copy\n"])("are a gap where they had been seen (%j)", async (rest) => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = await seenBeyondItsCopy(folder, rest);
    truncateSync(path);
    folder.append("app.log", "three\n");
    await collector.settle();
    expect(collector.generations(path)).toEqual([`one\n${rest}`, "three\n"]);
    expect(collector.lost).toEqual([
      { kind: "lost", reason: "truncated", fromByte: 4 + rest.length, knownBytes: 4 },
    ]);
    await collector.stop();
  });

  it("are a gap where the copy is read by an agent that was started since", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = await seenBeyondItsCopy(folder, "read from the copy\n");
    truncateSync(path);
    folder.append("app.log", "three\n");
    await collector.rescan();
    await collector.restart();
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\nread from the copy\n", "three\n"]);
    expect(collector.lost).toMatchObject([{ reason: "truncated", fromByte: 23, knownBytes: 4 }]);
    await collector.stop();
  });

  it.each([
    { lines: 1, agoMs: 0 },
    { lines: 100, agoMs: 0 },
    { lines: 100, agoMs: 60_000 },
  ])("are a gap where the copy was compressed: %j", async ({ lines, agoMs }) => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const rest = "read from the archive\n".repeat(lines);
    const collector = await seenBeyondItsCopy(folder, rest);
    const writtenAt = new Date(Date.now() - agoMs);
    utimesSync(compress(`${path}.1`), writtenAt, writtenAt);
    truncateSync(path);
    folder.append("app.log", "three\n");
    await collector.settle();
    expect(collector.generations(path)).toEqual([`one\n${rest}`, "three\n"]);
    const fromByte = 4 + rest.length;
    expect(collector.lost).toMatchObject([{ reason: "truncated", fromByte, knownBytes: 4 }]);
    await collector.stop();
  });

  it("are a gap that keeps nothing of the copy from being read once more", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = await seenBeyondItsCopy(folder, "read from the copy\n");
    truncateSync(path);
    await collector.rescan();
    const [stream] = collector.source.streams();
    if (stream === undefined) throw new Error("no stream");
    const reader = await collector.reader(stream);
    const target = new Uint8Array(100);
    for (let round = 0; round < 2; round++) {
      expect(await reader.seek(stream.ackedCursor)).toMatchObject({ ok: true });
      expect(await reader.read(target, 0, NEVER)).toMatchObject({ kind: "bytes", length: 19 });
      expect(await reader.read(target, 0, NEVER)).toMatchObject({ kind: "lost", knownBytes: 4 });
    }
    expect(collector.eventKinds().filter((kind) => kind === "gap")).toHaveLength(1);
    await collector.stop();
  });
});

it("counts nothing of what a cut file has grown to for lost", async () => {
  using folder = new Folder();
  const path = folder.at("app.log");
  const collector = new Collector({ include: [path], start: "beginning" });
  folder.append("app.log", "one\n");
  await collector.start();
  await collector.settle();
  const [stream] = collector.source.streams();
  if (stream === undefined) throw new Error("no stream");
  const reader = await collector.reader(stream);
  writeFileSync(path, "longer than before\n");
  await reader.changed(NEVER);
  expect(reader.behindBytes).toBe(15);
  await collector.settle();
  expect(collector.lost).toEqual([]);
  expect(collector.generations(path)).toEqual(["one\n", "longer than before\n"]);
  await collector.stop();
});

it("reads a link to a file that is named like one of its rotated siblings", async () => {
  using folder = new Folder();
  const link = folder.at("app.log");
  const collector = new Collector({ include: [link], start: "beginning" });
  folder.append("app.log-20260101", "one\n");
  symlinkSync(folder.at("app.log-20260101"), link);
  await collector.start();
  await collector.settle();
  folder.append("app.log-20260102", "two\n");
  symlinkSync(folder.at("app.log-20260102"), folder.at("new"));
  renameSync(folder.at("new"), link);
  await collector.settle();
  expect(collector.generations(link)).toEqual(["one\n", "two\n"]);
  await collector.stop();
});

it(
  "a copy whose inode number was that of another stream's file leaves that stream's loss to be told",
  ANOTHER_MAY_TAKE_IT,
  async () => {
    using folder = new Folder();
    const include = [folder.at("a.log"), folder.at("b.log")];
    const collector = new Collector({ include, start: "beginning" });
    folder.append("a.log", "one\n");
    folder.append("b.log", "one of another\n");
    await collector.start();
    await collector.settle();
    collector.save();
    await collector.stop();
    folder.append("a.log", "two\n");
    expect(copyWithInodeOf(folder.at("b.log"), folder.at("a.log"), folder.at("a.log.1"))).toBe(
      true,
    );
    truncateSync(folder.at("a.log"));
    folder.append("a.log", "three\n");
    await collector.start();
    await collector.settle();
    await collector.settle();
    expect(collector.text(folder.at("a.log"))).toBe("one\ntwo\nthree\n");
    expect(collector.events).toContainEqual(
      expect.objectContaining({ kind: "gap", source: folder.at("b.log") }),
    );
    await collector.stop();
  },
);
