import { appendFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { Collector, Folder } from "./tail-fixture.ts";

/** A log whose first file was rotated away and finished, and what was stored halfway through it. */
async function finished(folder: Folder) {
  const path = folder.at("a.log");
  const collector = new Collector({ include: [path], start: "beginning" });
  folder.append("a.log", "one\n");
  await collector.start();
  await collector.settle();
  const key = { source: path, generation: 1 };
  const cursor = collector.deliveries.get(`${path}#1`)?.cursor ?? new Uint8Array();
  folder.append("a.log", "two\nthree\n");
  await collector.settle();
  renameSync(path, `${path}.1`);
  writeFileSync(path, "four\n");
  await collector.settle();
  await collector.settle();
  expect(collector.generations(path)).toEqual(["one\ntwo\nthree\n", "four\n"]);
  expect(collector.source.streams().map(({ generation }) => generation)).toEqual([2]);
  /** As the collector's older copy has it. */
  const rollBack = (): void => {
    const delivery = collector.deliveries.get(`${path}#1`);
    if (delivery !== undefined) {
      delivery.text = "one\n";
      delivery.cursor = cursor;
    }
  };
  rollBack();
  return { collector, path, key, cursor };
}

describe("a stream whose end turns out to be stored", () => {
  it("is finished there without being read again, and goes on as another when it is written to", async () => {
    using folder = new Folder();
    const path = folder.at("a.log");
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append("a.log", "one\n");
    await collector.start();
    // Killed before it could note any of what follows.
    collector.save();
    await collector.settle();
    renameSync(path, `${path}.1`);
    writeFileSync(path, "two\n");
    await collector.rescan();
    const key = { source: path, generation: 1 };
    const end = collector.deliveries.get(`${path}#1`)?.cursor ?? new Uint8Array();
    await collector.stop();
    await collector.start();
    await collector.source.reader(key)[Symbol.asyncDispose]();
    expect(collector.source.finishAt(key, end)).toEqual({ ok: true, value: undefined });
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\n", "two\n"]);
    folder.append("a.log.1", "late\n");
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\n", "two\n", "late\n"]);
    expect(collector.lost).toEqual([]);
    await collector.stop();
  });
});

describe("a stream whose number was another file's, and whose end is stored", () => {
  it.each(["two, and longer than the first\n", "2\n"])(
    "is read under the next one: %j",
    async (text) => {
      using folder = new Folder();
      const path = folder.at("a.log");
      const include = [path];
      const before = new Collector({ include, start: "beginning" });
      folder.append("a.log", "one\n");
      await before.start();
      await before.settle();
      const end = before.deliveries.get(`${path}#1`)?.cursor ?? new Uint8Array();
      await before.stop();
      renameSync(path, folder.at("elsewhere"));
      folder.append("a.log", text);
      const collector = new Collector({ include, start: "beginning" });
      await collector.start();
      const key = { source: path, generation: 1 };
      await collector.source.reader(key)[Symbol.asyncDispose]();
      expect(collector.source.finishAt(key, end)).toEqual({ ok: true, value: undefined });
      await collector.settle();
      expect([...collector.deliveries].map(([name, { text: read }]) => [name, read])).toEqual([
        [`${path}#2`, text],
      ]);
      expect(collector.lost).toEqual([]);
      await collector.stop();
    },
  );
});

describe("a finished stream that is taken up again", () => {
  it("is read from the cursor to its end, and no other is", async () => {
    using folder = new Folder();
    const { collector, path, key, cursor } = await finished(folder);
    expect(collector.source.reopen(key, cursor)).toEqual({ ok: true, value: true });
    await collector.settle();
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\ntwo\nthree\n", "four\n"]);
    expect(collector.source.streams().map(({ generation }) => generation)).toEqual([2]);
    expect(collector.refused).toEqual([]);
    folder.append("a.log", "five\n");
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\ntwo\nthree\n", "four\nfive\n"]);
    await collector.stop();
  });

  it("is remembered as open by a source that starts again", async () => {
    using folder = new Folder();
    const { collector, path, key, cursor } = await finished(folder);
    await collector.restart();
    expect(collector.source.reopen(key, cursor)).toEqual({ ok: true, value: true });
    await collector.restart();
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\ntwo\nthree\n", "four\n"]);
    await collector.stop();
  });

  it("is taken up once: whoever is open is not finished", async () => {
    using folder = new Folder();
    const { collector, key, cursor } = await finished(folder);
    collector.source.reopen(key, cursor);
    expect(collector.source.reopen(key, cursor)).toEqual({ ok: true, value: false });
    expect(collector.source.reopen({ ...key, generation: 2 }, cursor)).toEqual({
      ok: true,
      value: false,
    });
    await collector.stop();
  });

  it("whose file is gone is lost from the cursor on, and ends", async () => {
    using folder = new Folder();
    const { collector, path, key, cursor } = await finished(folder);
    rmSync(`${path}.1`);
    await collector.rescan();
    await collector.rescan();
    expect(collector.source.reopen(key, cursor)).toEqual({ ok: true, value: true });
    await collector.settle();
    expect(collector.refused).toHaveLength(1);
    expect(collector.lost).toMatchObject([{ reason: "cursor-lost", fromByte: 4 }]);
    expect(collector.source.streams().map(({ generation }) => generation)).toEqual([2]);
    await collector.stop();
  });

  it("whose file was written to since, and goes on as another, is not read as both", async () => {
    using folder = new Folder();
    const { collector, path, key, cursor } = await finished(folder);
    appendFileSync(`${path}.1`, "late\n");
    await collector.settle();
    expect(collector.source.reopen(key, cursor)).toEqual({ ok: true, value: true });
    await collector.settle();
    expect(collector.generations(path)).toEqual(["one\n", "four\n", "late\n"]);
    expect(collector.lost).toMatchObject([{ reason: "cursor-lost" }]);
    await collector.stop();
  });

  it.each([{ generation: 0 }, { generation: 1.5 }, { cursor: Uint8Array.of(1, 2) }])(
    "is refused with %j, which no source has given out",
    async ({ generation = 1, cursor }) => {
      using folder = new Folder();
      const { collector, key, cursor: good } = await finished(folder);
      const reopened = collector.source.reopen({ ...key, generation }, cursor ?? good);
      expect(reopened).toMatchObject({ ok: false, error: { code: "cursor-invalid" } });
      await collector.stop();
    },
  );
});
