import { describe, expect, test } from "vitest";

import { JournalSource } from "../src/journal/journal-source.ts";
import type { StreamKey } from "../src/source.ts";

const STREAM: StreamKey = { source: "journald", generation: 1 };

function cursor(number: number): Buffer {
  const hex = number.toString(16);
  return Buffer.from(`J1 after s=${"a".repeat(32)};i=${hex};b=${"b".repeat(32)};m=1;t=${hex};x=1`);
}

function create(state?: unknown): JournalSource {
  const created = JournalSource.create({ start: "end", state });
  if (!created.ok) throw new Error(created.error.detail);
  return created.value;
}

async function started(number: number): Promise<JournalSource> {
  const source = create();
  expect(source.restore(STREAM, cursor(number))).toMatchObject({ ok: true });
  await source.start();
  return source;
}

function ackedOf(source: JournalSource): string {
  return Buffer.from(source.streams()[0]?.ackedCursor ?? []).toString();
}

describe("the journal as a source", () => {
  test("takes the place of a lost state from the collector, without asking journalctl", async () => {
    await using source = await started(5);
    expect(source.streams()).toEqual([
      { ...STREAM, initialCursor: cursor(5), ackedCursor: cursor(5) },
    ]);
  });

  test.each([
    ["a generation that a journal does not have", { ...STREAM, generation: 2 }, cursor(1)],
    ["a cursor that is none", STREAM, Buffer.from('{"v":1}')],
    ["a cursor that is too long", STREAM, Buffer.from(`J1 after ${"s".repeat(5_000)}`)],
  ])("does not take %s", (_, stream, bytes) => {
    expect(create().restore(stream, bytes)).toMatchObject({
      ok: false,
      error: { code: "cursor-invalid" },
    });
  });

  test("moves its acked cursor forwards only", async () => {
    await using source = await started(5);
    for (const [number, expected] of [
      [7, 7],
      [6, 7],
      [8, 8],
    ] as const) {
      expect(source.acked(STREAM, cursor(number))).toMatchObject({ ok: true });
      expect(ackedOf(source)).toBe(cursor(expected).toString());
    }
    expect(source.acked(STREAM, Buffer.from("rubbish"))).toMatchObject({ ok: false });
  });

  test("keeps its state from one run to the next", async () => {
    await using before = await started(5);
    before.acked(STREAM, cursor(9));
    await using after = create(JSON.parse(JSON.stringify(before.snapshot())));
    await after.start();
    expect(after.streams()).toEqual(before.streams());
  });

  test.each([
    [null],
    [{ v: 2, stream: null }],
    [{ v: 1, stream: {} }],
    [{ v: 1, stream: { initial: "J1 beginning", acked: "rubbish", finished: false } }],
  ])("refuses a state that it has not made: %j", (state) => {
    expect(JournalSource.create({ start: "end", state })).toMatchObject({
      ok: false,
      error: { code: "state-invalid" },
    });
  });

  test("has one reader at a time", async () => {
    await using source = await started(5);
    const reader = source.reader(STREAM);
    expect(() => source.reader(STREAM)).toThrow("has a reader");
    await reader[Symbol.asyncDispose]();
    await source.reader(STREAM)[Symbol.asyncDispose]();
  });

  test("can be finished and taken up again at an earlier cursor", async () => {
    await using source = await started(5);
    expect(source.reopen(STREAM, cursor(3))).toEqual({ ok: true, value: false });
    source.finish(STREAM);
    expect(source.streams()).toEqual([]);
    expect(() => source.reader(STREAM)).toThrow("no open stream");
    expect(source.reopen(STREAM, cursor(3))).toEqual({ ok: true, value: true });
    expect(ackedOf(source)).toBe(cursor(3).toString());
  });

  test.each([
    [undefined, "journald"],
    ["/var/log/journal/remote", "journald:/var/log/journal/remote"],
  ])("by the folder %j covers %s and nothing else", (directory, name) => {
    const created = JournalSource.create({ start: "end", directory });
    if (!created.ok) throw new Error(created.error.detail);
    expect(created.value.covers(name)).toBe(true);
    expect(created.value.covers(`${name}/x`)).toBe(false);
    expect(created.value.covers("/var/log/syslog")).toBe(false);
  });
});
