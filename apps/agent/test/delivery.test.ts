import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LIMITS } from "@sluice/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { decodeStreamCursor, emptyLedger, type LedgerCounts } from "../src/stream-ledger.ts";
import { Folder } from "./folder.ts";
import { MemoryReader } from "./memory-reader.ts";
import { type Fate, ModelCollector } from "./model-collector.ts";
import type { SentRecord } from "./wire.ts";

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder[Symbol.dispose]());

interface Line {
  readonly length: number;
  readonly letter: string;
}

function textOf(lines: readonly Line[]): string {
  return lines.map(({ length, letter }, i) => `${`${i} `.padEnd(length, letter)}\n`).join("");
}

/** What of a file's lines a collector has to have in the end. */
function expectedOf(text: string): SentRecord[] {
  return linesOf(text).map((line) => ({
    body: line.slice(0, LIMITS.recordBytes),
    originalBytes: line.length > LIMITS.recordBytes ? String(line.length) : undefined,
  }));
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** What became of a stream's bytes, as the cursor tells that the collector has stored. */
function accountsOf(collector: ModelCollector, stream: number): LedgerCounts {
  return decodeStreamCursor(collector.stored[stream]?.cursor ?? new Uint8Array()).counts;
}

/** Mostly short lines, some that fill a message, some that are cut. */
const anyLine: fc.Arbitrary<Line> = fc.record({
  length: fc.oneof(
    { weight: 8, arbitrary: fc.nat({ max: 200 }) },
    { weight: 2, arbitrary: fc.integer({ min: 20_000, max: 90_000 }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: LIMITS.recordBytes - 2, max: LIMITS.recordBytes + 70_000 }),
    },
  ),
  letter: fc.constantFrom("x", "y", "z"),
});
const anyFile = fc.array(anyLine, { maxLength: 40 });
const anyFates = fc.array(
  fc.constantFrom<Fate>("acknowledged", "late", "corrupt", "lost", "unacknowledged"),
  { maxLength: 25 },
);
const readSizes = fc.infiniteStream(
  fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1000, max: 200_000 })),
);

/** The file grows while it is shipped, a part at each turn of the loop. */
async function grow(reader: MemoryReader, text: string, parts: number): Promise<void> {
  const size = Math.max(1, Math.ceil(text.length / parts));
  for (let at = 0; at < text.length; at += size) {
    reader.append(text.slice(at, at + size));
    await nextTurn();
  }
}

describe("from a file to a collector", () => {
  it("every line is stored exactly once and in order, whatever befalls the messages", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFile, { minLength: 1, maxLength: 3 }),
        anyFates,
        readSizes,
        fc.record({
          parts: fc.integer({ min: 1, max: 12 }),
          isTerminated: fc.boolean(),
          staysOpen: fc.boolean(),
          isProcessed: fc.boolean(),
        }),
        async (files, fates, sizes, { parts, isTerminated, staysOpen, isProcessed }) => {
          const texts = files.map((file) => textOf(file).slice(0, isTerminated ? undefined : -1));
          const readers = texts.map(() => new MemoryReader("", () => sizes.next().value));
          const processing = isProcessed ? { attributes: { app: "shop" } } : undefined;
          await using collector = new ModelCollector(readers, fates, folder.path, processing);
          collector.connect();
          await Promise.all(readers.map((reader, i) => grow(reader, texts[i] ?? "", parts)));
          if (staysOpen) {
            // A line that may still grow waits for the file's end.
            const complete = texts.map((text) => text.split("\n").length - 1);
            await collector.until((stored) =>
              stored.every(({ records }, i) => records.length === complete[i]),
            );
          }
          readers.forEach((reader) => reader.end({ kind: "ended", reason: "rotated" }));
          await collector.untilFinished();
          expect(collector.events).toEqual([]);
          texts.forEach((text, i) => {
            expect(collector.stored[i]?.records).toEqual(expectedOf(text));
            expect(collector.stored[i]?.gaps).toEqual([]);
            expect(accountsOf(collector, i)).toEqual({
              ...emptyLedger(0),
              storedBytes: text.length,
            });
          });
        },
      ),
      { numRuns: 200 },
    );
  }, 30_000);

  it.each([
    ["in place", undefined],
    ["record by record", { attributes: { app: "shop" } }],
  ])(
    "a batch that is rejected is set aside and counted, and the lines behind it arrive: %s",
    async (_, processing) => {
      const text = textOf(Array.from({ length: 30 }, () => ({ length: 20, letter: "x" })));
      const reader = new MemoryReader(text, () => 200);
      reader.end({ kind: "ended", reason: "rotated" });
      const fates: Fate[] = ["acknowledged", "rejected"];
      await using collector = new ModelCollector([reader], fates, folder.path, processing);
      collector.connect();
      await collector.untilFinished();
      const [stored] = collector.stored;
      const [gap] = stored?.gaps ?? [];
      expect(gap).toMatchObject({ kind: "gap", cause: "rejected", detail: "bad_columns: no luck" });
      expect(collector.gapsSent).toBe(1);
      expect(collector.events).toMatchObject([{ kind: "rejected", code: "bad_columns" }]);
      const expected = expectedOf(text);
      const { firstSeq = 0, count = 0 } = gap ?? {};
      expect(count).toBeGreaterThan(0);
      expect(stored?.records).toEqual(expected.toSpliced(firstSeq, count));
      expect(stored?.nextSeq).toBe(expected.length);
      const [letter] = readdirSync(folder.path);
      const gapBytes = 21 * count;
      expect(gap).toMatchObject({ range: { bytes: gapBytes } });
      expect(accountsOf(collector, 0)).toEqual({
        ...emptyLedger(0),
        storedBytes: text.length - gapBytes,
        gapBytes,
      });
      const lines = expected.slice(firstSeq, firstSeq + count).map(({ body }) => `${body}\n`);
      expect(readFileSync(join(folder.path, letter ?? ""), "utf8")).toBe(lines.join(""));
    },
  );

  it.each([
    ["in place", undefined],
    ["record by record", { attributes: { app: "shop" } }],
  ])(
    "a stream whose end is stored has no gap where its file is gone when it is opened again: %s",
    async (_, processing) => {
      const reader = new MemoryReader("one\ntwo\n");
      const fates: Fate[] = ["acknowledged", "unacknowledged"];
      await using collector = new ModelCollector([reader], fates, folder.path, processing);
      collector.connect();
      await collector.until(([stored]) => stored?.nextSeq === 2);
      reader.end({ kind: "ended", reason: "deleted" });
      await collector.untilFinished();
      reader.isGone = true;
      await collector.until(([stored]) => stored?.finals === 2);
      expect(collector.stored[0]?.gaps).toEqual([]);
      expect(accountsOf(collector, 0)).toEqual({ ...emptyLedger(0), storedBytes: 8 });
    },
  );

  it.each([
    ["in place", undefined],
    ["record by record", { attributes: { app: "shop" } }],
  ])(
    "a loss at a stream's end is recorded once, though its ack is lost: %s",
    async (_, processing) => {
      const reader = new MemoryReader("one\ntwo\n");
      const fates: Fate[] = ["acknowledged", "unacknowledged"];
      await using collector = new ModelCollector([reader], fates, folder.path, processing);
      collector.connect();
      await collector.until(([stored]) => stored?.nextSeq === 2);
      reader.end({ kind: "lost", reason: "deleted", fromByte: 8, knownBytes: 5 });
      await collector.until(([stored]) => stored?.gaps.length === 1);
      reader.isGone = true;
      // The end again, or what comes in place of it.
      await collector.until(([stored]) => (stored?.gaps.length ?? 0) + (stored?.finals ?? 0) === 3);
      expect(collector.stored[0]?.gaps).toMatchObject([{ range: { fromByte: 8, bytes: 5 } }]);
      expect(accountsOf(collector, 0)).toEqual({ ...emptyLedger(0), storedBytes: 8, lostBytes: 5 });
    },
  );

  it("a batch that is rejected and cannot be set aside stops no stream", async () => {
    const text = textOf(Array.from({ length: 30 }, () => ({ length: 20, letter: "x" })));
    const reader = new MemoryReader(text, () => 200);
    reader.end({ kind: "ended", reason: "rotated" });
    const taken = join(folder.path, "taken");
    writeFileSync(taken, "");
    await using collector = new ModelCollector([reader], ["acknowledged", "rejected"], taken);
    collector.connect();
    await collector.untilFinished();
    expect(collector.events).toMatchObject([
      { kind: "failed", error: { code: "EEXIST" } },
      { kind: "rejected" },
    ]);
    expect(collector.stored[0]?.gaps).toHaveLength(1);
    expect(collector.stored[0]?.nextSeq).toBe(expectedOf(text).length);
  });

  it.each([
    ["in place", undefined],
    ["record by record", { attributes: { app: "shop" } }],
  ])("a read that fails is tried again from what was handed over: %s", async (_, processing) => {
    const text = textOf(Array.from({ length: 60 }, () => ({ length: 2_000, letter: "x" })));
    const reader = new MemoryReader(text, () => 3_000);
    reader.failsAt = [90_000];
    reader.end({ kind: "ended", reason: "rotated" });
    await using collector = new ModelCollector([reader], [], folder.path, processing);
    collector.connect();
    await collector.untilFinished();
    const error = expect.objectContaining({ message: "EIO: i/o error, read" }) as Error;
    expect(collector.events).toEqual([{ kind: "failed", error }]);
    expect(collector.stored[0]?.records).toEqual(expectedOf(text));
    expect(accountsOf(collector, 0)).toEqual({ ...emptyLedger(0), storedBytes: text.length });
  });
});
