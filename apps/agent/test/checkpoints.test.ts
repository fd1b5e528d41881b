import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type Checkpoint, Checkpoints } from "../src/checkpoints.ts";
import { Folder } from "./folder.ts";

let folder: Folder;
let path: string;
let errors: unknown[];

beforeEach(() => {
  folder = new Folder();
  path = folder.at("state.json");
  errors = [];
});

afterEach(() => {
  vi.useRealTimers();
  folder[Symbol.dispose]();
});

function load(isKnownAgent = true): Promise<Checkpoints> {
  return Checkpoints.load(path, isKnownAgent, (error) => errors.push(error));
}

function checkpoint(nextSeq: number, cursor: string): Checkpoint {
  return { nextSeq, cursor: Buffer.from(cursor) };
}

function textAt(checkpoints: Checkpoints, store: string, stream: string): string | undefined {
  const found = checkpoints.get(store, stream);
  return found === undefined
    ? undefined
    : `${found.nextSeq} ${Buffer.from(found.cursor).toString()}`;
}

/** A state with two stores and a source, on the disk. */
async function stored(): Promise<string> {
  const checkpoints = await load(false);
  checkpoints.attach("file:a", () => ({ generations: [1, 2] }));
  checkpoints.store("s-1").set("1:/log", checkpoint(5, "\0\xff"));
  checkpoints.store("s-2").set("1:/log", checkpoint(3, "other"));
  await checkpoints.write();
  return readFileSync(path, "utf8");
}

describe("checkpoints", () => {
  it("are absent, not lost, at an agent's first start", async () => {
    expect((await load(false)).isLost).toBe(false);
    expect((await load(true)).isLost).toBe(true);
  });

  it("come back as they were written, each store's for itself", async () => {
    await stored();
    const checkpoints = await load();
    expect(checkpoints.isLost).toBe(false);
    expect(textAt(checkpoints, "s-1", "1:/log")).toBe("5 \0\xff");
    expect(textAt(checkpoints, "s-2", "1:/log")).toBe("3 other");
    expect(checkpoints.get("s-3", "1:/log")).toBeUndefined();
    expect(checkpoints.isKnownStore("s-2")).toBe(true);
    expect(checkpoints.isKnownStore("s-3")).toBe(false);
    expect(checkpoints.source("file:a")).toEqual({ generations: [1, 2] });
    expect(checkpoints.source("file:b")).toBeUndefined();
  });

  it("of a finished stream are forgotten in every store, which stay known", async () => {
    await stored();
    const before = await load();
    before.finish("s-1", "1:/log", 5);
    await before.write();
    const checkpoints = await load();
    expect(checkpoints.get("s-1", "1:/log")).toBeUndefined();
    expect(checkpoints.get("s-2", "1:/log")).toBeUndefined();
    expect(checkpoints.isKnownStore("s-1")).toBe(true);
  });

  it("leave behind where a finished stream ended, in the store that acknowledged it", async () => {
    await stored();
    const before = await load();
    before.finish("s-1", "1:/log", 7);
    await before.write();
    const checkpoints = await load();
    expect(checkpoints.finishedAt("s-1", "1:/log")).toBe(7);
    expect(checkpoints.finishedAt("s-2", "1:/log")).toBeUndefined();
    checkpoints.reopen("s-1", "1:/log");
    await checkpoints.write();
    expect((await load()).finishedAt("s-1", "1:/log")).toBeUndefined();
  });

  it("leave behind the ends of the latest 1,024 streams of a store", async () => {
    const checkpoints = await load(false);
    for (let i = 0; i < 1_030; i++) {
      checkpoints.finish("s-1", `${i}:/log`, i);
    }
    expect(checkpoints.finishedAt("s-1", "5:/log")).toBeUndefined();
    expect(checkpoints.finishedAt("s-1", "6:/log")).toBe(6);
    expect(checkpoints.finishedAt("s-1", "1029:/log")).toBe(1_029);
  });

  it("are lost or whole, and the agent starts, wherever the file was torn", async () => {
    const text = await stored();
    for (let bytes = 0; bytes <= text.length; bytes++) {
      writeFileSync(path, text.slice(0, bytes));
      const checkpoints = await load();
      expect(checkpoints.isLost).toBe(bytes < text.length);
      expect(textAt(checkpoints, "s-1", "1:/log")).toBe(
        bytes < text.length ? undefined : "5 \0\xff",
      );
    }
  });

  it.each([
    ["zeroes", "\0".repeat(200)],
    ["another version", '{"version":2,"sources":{},"stores":{}}'],
    ["something else", '["version", 1]'],
    [
      "a checkpoint without a cursor",
      '{"version":1,"sources":{},"stores":{"s":{"1:/log":{"nextSeq":1}}}}',
    ],
  ])("are lost where the file holds %s", async (_name, content) => {
    writeFileSync(path, content);
    expect((await load()).isLost).toBe(true);
  });

  it("are lost or whole, never others, whichever bit of the file has flipped; it is set aside", async () => {
    const bytes = Buffer.from(await stored());
    const expected = ["5 \0\xff", "3 other", { generations: [1, 2] }];
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(path, damaged);
      const checkpoints = await load();
      if (checkpoints.isLost) {
        expect(readFileSync(`${path}.damaged`)).toEqual(damaged);
        expect(existsSync(path)).toBe(false);
      } else {
        const found = ["s-1", "s-2"].map((store) => textAt(checkpoints, store, "1:/log"));
        expect([...found, checkpoints.source("file:a")]).toEqual(expected);
      }
    }
  });

  it("survive a write that was cut off beside them", async () => {
    await stored();
    writeFileSync(`${path}.tmp`, '{"version":1,"sou');
    const checkpoints = await load();
    expect(checkpoints.isLost).toBe(false);
    await checkpoints.write();
    expect((await load()).isLost).toBe(false);
  });
});

describe("writing checkpoints", () => {
  it("takes the state after the call, and shares one write among those who ask meanwhile", async () => {
    const checkpoints = await load(false);
    let snapshots = 0;
    checkpoints.attach("file:a", () => ({ snapshots: (snapshots += 1) }));
    const first = checkpoints.write();
    checkpoints.store("s").set("1:/log", checkpoint(1, "one"));
    await Promise.all([first, ...Array.from({ length: 50 }, () => checkpoints.write())]);
    expect(snapshots).toBeLessThanOrEqual(2);
    expect(textAt(await load(), "s", "1:/log")).toBe("1 one");
  });

  it("happens once a second for any number of acks", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const checkpoints = await load(false);
    let snapshots = 0;
    checkpoints.attach("file:a", () => (snapshots += 1));
    for (let nextSeq = 1; nextSeq <= 100; nextSeq++) {
      checkpoints.acked("s", "1:/log", checkpoint(nextSeq, `c${nextSeq}`));
    }
    await vi.advanceTimersByTimeAsync(999);
    expect(snapshots).toBe(0);
    expect(existsSync(path)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(snapshots).toBe(1);
    await checkpoints.write();
    expect(textAt(await load(), "s", "1:/log")).toBe("100 c100");
  });

  it("happens when they are closed", async () => {
    const checkpoints = await load(false);
    checkpoints.acked("s", "1:/log", checkpoint(9, "last"));
    await checkpoints[Symbol.asyncDispose]();
    expect(textAt(await load(), "s", "1:/log")).toBe("9 last");
  });

  it("that fails is told to who asked for it, and the next one is not held up by it", async () => {
    const checkpoints = await load(false);
    mkdirSync(`${path}.tmp`);
    await expect(checkpoints.write()).rejects.toThrow(/EISDIR/);
    rmdirSync(`${path}.tmp`);
    checkpoints.store("s").set("1:/log", checkpoint(1, "one"));
    await checkpoints.write();
    expect(textAt(await load(), "s", "1:/log")).toBe("1 one");
    expect(errors).toEqual([]);
  });

  it("that fails behind an ack is reported", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const checkpoints = await load(false);
    mkdirSync(`${path}.tmp`);
    checkpoints.acked("s", "1:/log", checkpoint(1, "one"));
    await vi.advanceTimersByTimeAsync(1_000);
    vi.useRealTimers();
    await expect.poll(() => errors).toHaveLength(1);
    expect(String(errors[0])).toContain("EISDIR");
  });
});
