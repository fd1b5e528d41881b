import { afterEach, describe, expect, it, vi } from "vitest";
import { OpenFile } from "../src/open-file.ts";
import { Collector, Folder } from "./tail-fixture.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a file that cannot be opened when its cursor is sought", () => {
  it.each(["EACCES", "EMFILE"])("is read on from there as soon as it can be: %s", async (code) => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    collector.save();
    await collector.stop();
    folder.append("app.log", "two\n");
    const open = vi.spyOn(OpenFile, "open").mockImplementation(() => {
      throw Object.assign(new Error(code), { code });
    });
    await collector.start();
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\n"]);
    open.mockRestore();
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\ntwo\n"]);
    expect(collector.refused).toEqual([]);
    expect(collector.eventKinds()).toEqual(["unreadable", "readable"]);
    await collector.stop();
  });

  it("is gone when the scans do not find it either", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    collector.save();
    await collector.stop();
    vi.spyOn(OpenFile, "open").mockImplementation(() => {
      throw Object.assign(new Error("EACCES"), { code: "EACCES" });
    });
    await collector.start();
    await collector.settle();
    folder[Symbol.dispose]();
    await collector.settle();
    await collector.settle();
    expect(collector.source.streams()).toEqual([]);
    await collector.stop();
  });
});

describe("a stream", () => {
  it("tells the newest acked cursor, not the one at its appearance", async () => {
    using folder = new Folder();
    const path = folder.at("app.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    await collector.start();
    folder.append("app.log", "one\n");
    await collector.rescan();
    const [stream] = collector.source.streams();
    if (stream === undefined) throw new Error("no stream");
    await collector.drain(stream);
    const stored = collector.deliveries.get(`${path}#1`)?.cursor;
    expect(Buffer.from(stream.ackedCursor).toString()).toBe(Buffer.from(stored ?? []).toString());
    expect(stream.ackedCursor).not.toEqual(stream.initialCursor);
    await collector.stop();
  });
});
