import { renameSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { FileSource } from "../src/file-source.ts";
import { splitFileState } from "../src/state-split.ts";
import { Collector, Folder } from "./tail-fixture.ts";

/** A source of all logs of a folder that has shipped what is in two of them. */
async function shipped(folder: Folder): Promise<unknown> {
  const collector = new Collector({ include: [folder.at("*.log")], start: "beginning" });
  folder.append("a.log", "a1\n");
  folder.append("b.log", "b1\n");
  await collector.start();
  await collector.settle();
  const state = collector.source.snapshot();
  await collector.source[Symbol.asyncDispose]();
  return state;
}

describe("a file that changes its source", () => {
  it("is read on from where the other one stood, and what that never saw begins as is configured", async () => {
    using folder = new Folder();
    const state = await shipped(folder);
    renameSync(folder.at("a.log"), folder.at("a.log.1"));
    folder.append("a.log.1", "a2\n");
    folder.append("a.log", "a3\n");
    folder.append("new.log", "older than this source\n");
    const include = [folder.at("a.log"), folder.at("new.log")];
    const split = splitFileState(state, { include });
    const inherited = [split?.covered];
    const collector = new Collector({ include, start: "end", inherited });
    await collector.start();
    await collector.settle();
    folder.append("new.log", "new\n");
    await collector.settle();
    expect(collector.generations(folder.at("a.log"))).toEqual(["a2\n", "a3\n"]);
    expect(collector.generations(folder.at("new.log"))).toEqual(["new\n"]);
    await collector.source[Symbol.asyncDispose]();
  });

  it("leaves the others where they were", async () => {
    using folder = new Folder();
    const state = await shipped(folder);
    const taken = splitFileState(state, { include: [folder.at("a.log")] });
    expect(splitFileState(taken?.rest, { include: [folder.at("a.log")] })).toBeUndefined();
    const last = splitFileState(taken?.rest, { include: [folder.at("b.log")] });
    expect(last?.rest).toBeUndefined();
    expect(JSON.stringify(last?.covered)).toContain("b.log");
  });

  it("is not taken where it is left out, nor out of what is no state of files", async () => {
    using folder = new Folder();
    const state = await shipped(folder);
    const include = [folder.at("*.log")];
    expect(splitFileState(state, { include, exclude: include })).toBeUndefined();
    expect(splitFileState({ journal: 1 }, { include })).toBeUndefined();
    const created = FileSource.create({ include, start: "end", inherited: [{ v: 9 }] });
    expect(created.ok).toBe(false);
  });

  it("goes with the state that has seen more of it, where two know it", async () => {
    using folder = new Folder();
    const older = await shipped(folder);
    const path = folder.at("a.log");
    const include = [path];
    const collector = new Collector({ include, start: "end", inherited: [older] });
    await collector.start();
    renameSync(path, `${path}.1`);
    writeFileSync(path, "second\n");
    await collector.settle();
    await collector.settle();
    const newer = collector.source.snapshot();
    const generations = collector.source.streams().map(({ generation }) => generation);
    expect(generations).toContain(2);
    await collector.source[Symbol.asyncDispose]();
    for (const inherited of [
      [older, newer],
      [newer, older],
    ]) {
      const created = FileSource.create({ include, start: "end", inherited });
      if (!created.ok) throw new Error(created.error.detail);
      expect(created.value.streams().map(({ generation }) => generation)).toEqual(generations);
      await created.value[Symbol.asyncDispose]();
    }
  });
});
