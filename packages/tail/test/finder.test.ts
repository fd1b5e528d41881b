import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileSource } from "../src/file-source.ts";
import { Collector, Folder } from "./tail-fixture.ts";

const isRoot = process.geteuid?.() === 0;

/** Root may read everything: for the length of `action` the process is nobody. */
async function asNobody(action: () => Promise<void>): Promise<void> {
  if (!isRoot) return action();
  process.seteuid?.(65534);
  try {
    await action();
  } finally {
    process.seteuid?.(0);
  }
}

describe("what a file source finds", () => {
  it("matches picomatch globs, less what is excluded", async () => {
    using folder = new Folder();
    mkdirSync(folder.at("sub/deep"), { recursive: true });
    for (const name of ["a.log", "b.txt", "sub/c.log", "sub/deep/d.log", "sub/debug.log"]) {
      folder.append(name, "x\n");
    }
    const collector = new Collector({
      include: [folder.at("**/*.log"), folder.at("b.txt")],
      exclude: [folder.at("sub/debug*")],
      start: "beginning",
    });
    await collector.start();
    expect(collector.source.streams().map((stream) => stream.source)).toEqual(
      ["a.log", "b.txt", "sub/c.log", "sub/deep/d.log"].map((name) => folder.at(name)),
    );
    await collector.stop();
  });

  it("excludes a path that is named without magic", async () => {
    using folder = new Folder();
    folder.append("a.log", "x\n");
    const collector = new Collector({
      include: [folder.at("a.log")],
      exclude: [folder.at("*.log")],
      start: "beginning",
    });
    await collector.start();
    expect(collector.source.streams()).toEqual([]);
    await collector.stop();
  });

  it("refuses a path that cannot be the name of a stream, and reads the others", async () => {
    using folder = new Folder();
    const long = ["long", ...Array.from({ length: 3 }, () => "\u0001".repeat(250))].join("/");
    mkdirSync(folder.at(long), { recursive: true });
    folder.append(`${long}/a.log`, "x\n");
    folder.append("good.log", "x\n");
    const odd = Buffer.concat([
      Buffer.from(`${folder.at("")}/`),
      Buffer.of(0xff),
      Buffer.from(".log"),
    ]);
    writeFileSync(odd, "x\n");
    const collector = new Collector({ include: [folder.at("**/*.log")], start: "beginning" });
    await collector.start();
    expect(collector.source.streams().map(({ source }) => source)).toEqual([folder.at("good.log")]);
    expect(collector.events).toEqual([
      { kind: "refused", path: folder.at(`${long}/a.log`), reason: "long-name" },
      { kind: "refused", path: folder.at("\ufffd.log"), reason: "not-utf8" },
    ]);
    await collector.stop();
  });

  it("reads a file with two names once", async () => {
    using folder = new Folder();
    folder.append("real.log", "x\n");
    symlinkSync(folder.at("real.log"), folder.at("zz-link.log"));
    const collector = new Collector({ include: [folder.at("*.log")], start: "beginning" });
    await collector.start();
    expect(collector.source.streams().map((stream) => stream.source)).toEqual([
      folder.at("real.log"),
    ]);
    await collector.stop();
  });

  it("follows a link to a file elsewhere under the name of the link", async () => {
    using folder = new Folder();
    using elsewhere = new Folder();
    elsewhere.append("0.log", "x\n");
    symlinkSync(elsewhere.at("0.log"), folder.at("pod.log"));
    const collector = new Collector({
      include: [folder.at("*.log")],
      roots: [elsewhere.path],
      start: "beginning",
    });
    await collector.start();
    await collector.settle();
    expect(collector.text(folder.at("pod.log"))).toBe("x\n");
    await collector.stop();
  });

  it("refuses fifos and compressed files, saying so once", async () => {
    using folder = new Folder();
    execFileSync("mkfifo", [folder.at("fifo.log")]);
    writeFileSync(folder.at("app.log.2.gz"), "not for reading");
    const collector = new Collector({
      include: [folder.at("*.log"), folder.at("fifo.log"), folder.at("*.gz")],
      start: "beginning",
    });
    await collector.start();
    await collector.rescan();
    expect(collector.source.streams()).toEqual([]);
    expect(
      collector.events.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    ).toEqual([
      { kind: "refused", path: folder.at("app.log.2.gz"), reason: "compressed" },
      { kind: "refused", path: folder.at("fifo.log"), reason: "fifo" },
    ]);
    await collector.stop();
  });

  it("reports what it may not read once, goes on, and says when it can", async () => {
    using folder = new Folder();
    chmodSync(folder.path, 0o755);
    mkdirSync(folder.at("closed"), { mode: 0o700 });
    folder.append("secret.log", "s\n");
    folder.append("open.log", "o\n");
    chmodSync(folder.at("secret.log"), 0o000);
    if (!isRoot) chmodSync(folder.at("closed"), 0o000);
    const collector = new Collector({ include: [folder.at("**/*.log")], start: "beginning" });
    await asNobody(async () => {
      await collector.start();
      await collector.rescan();
    });
    const unreadable = collector.events.filter((event) => event.kind === "unreadable");
    expect(unreadable.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { kind: "unreadable", path: folder.at("closed"), code: "EACCES" },
      { kind: "unreadable", path: folder.at("secret.log"), code: "EACCES" },
    ]);
    chmodSync(folder.at("secret.log"), 0o644);
    chmodSync(folder.at("closed"), 0o755);
    await asNobody(() => collector.settle());
    expect(collector.text(folder.at("secret.log"))).toBe("s\n");
    expect(collector.text(folder.at("open.log"))).toBe("o\n");
    expect(collector.eventKinds().filter((kind) => kind === "readable")).toHaveLength(2);
    await collector.stop();
  });

  it("throws for a glob that is not absolute", () => {
    expect(() => FileSource.create({ include: ["*.log"], start: "end" })).toThrow(RangeError);
  });

  it("starts where nothing matches and finds what comes later", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("no/such/*.log")], start: "end" });
    await collector.start();
    mkdirSync(folder.at("no/such"), { recursive: true });
    folder.append("no/such/a.log", "x\n");
    await collector.settle();
    expect(collector.text(folder.at("no/such/a.log"))).toBe("x\n");
    await collector.stop();
  });
});
