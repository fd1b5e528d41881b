import { LIMITS } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeStreamCursor, emptyLedger, unaccountedBytes } from "../src/stream-ledger.ts";
import { MemoryReader, offsetOf } from "./memory-reader.ts";
import { type PumpKind, recordsOf, type SentRecord, Wire } from "./wire.ts";

const LIMIT = LIMITS.recordBytes;
const ENDED = { kind: "ended", reason: "rotated" } as const;

interface Shipped {
  readonly wire: Wire;
  readonly records: readonly SentRecord[];
  /** Behind each batch: how many records were sent by then, and the offset that its cursor names. */
  readonly cursors: readonly { readonly records: number; readonly offset: number }[];
}

/** Pumps a finished file to its end. */
async function ship(
  kind: PumpKind,
  content: Buffer | string,
  nextReadBytes?: () => number,
): Promise<Shipped> {
  const wire = new Wire(1);
  const reader = new MemoryReader(content, nextReadBytes);
  reader.end(ENDED);
  await wire.pump(reader, 0, kind).run(new AbortController().signal);
  await wire.until(() => wire.frames.at(-1)?.kind === "advance");
  expect(wire.errors).toEqual([]);
  return shipped(wire);
}

function shipped(wire: Wire): Shipped {
  let sent = 0;
  for (const { cursor } of wire.frames) {
    expect(unaccountedBytes(decodeStreamCursor(cursor).counts, offsetOf(cursor))).toBe(0);
  }
  const cursors = wire.frames
    .filter(({ kind }) => kind === "batch")
    .map((frame) => {
      sent += frame.count;
      return { records: sent, offset: offsetOf(frame.cursor) };
    });
  return { wire, records: wire.frames.flatMap(recordsOf), cursors };
}

/** Where each line of a file ends, its LF included. */
function lineEnds(content: Buffer): number[] {
  const ends: number[] = [];
  for (let at = content.indexOf(10); at !== -1; at = content.indexOf(10, at + 1)) {
    ends.push(at + 1);
  }
  if (ends.at(-1) !== content.length) {
    ends.push(content.length);
  }
  return ends;
}

function linesOf(content: Buffer): string[] {
  const lines = content.toString("latin1").split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function bodiesOf({ records }: Shipped): string[] {
  return records.map(({ body }) => body);
}

describe.each<PumpKind>(["in place", "record by record"])("%s", (kind) => {
  describe("a file that is pumped to its end", () => {
    it.each([
      ["with an LF at its end", "one\ntwo\n", ["one", "two"]],
      ["without one", "one\ntwo", ["one", "two"]],
      ["of a single unterminated line", "one", ["one"]],
      ["of empty lines", "\n\n", ["", ""]],
      ["that is empty", "", []],
    ] as const)("is sent whole, %s", async (_name, content, lines) => {
      const result = await ship(kind, content);
      expect(bodiesOf(result)).toEqual(lines);
      const last = result.wire.frames.at(-1);
      expect(last).toMatchObject({ kind: "advance", final: true });
      expect(offsetOf(last?.cursor ?? new Uint8Array())).toBe(content.length);
    });

    it("gives each batch the cursor of its last record's end, in reads of any size", async () => {
      const lines = fc.array(fc.string({ unit: "binary-ascii", maxLength: 40 }), { maxLength: 30 });
      const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 60 }));
      await fc.assert(
        fc.asyncProperty(lines, fc.boolean(), sizes, async (texts, isTerminated, reads) => {
          const content = Buffer.from(
            texts.join("\n") + (isTerminated && texts.length > 0 ? "\n" : ""),
          );
          const result = await ship(kind, content, () => reads.next().value);
          expect(bodiesOf(result)).toEqual(content.length === 0 ? [] : linesOf(content));
          const ends = lineEnds(content);
          for (const { records, offset } of result.cursors) {
            expect(offset).toBe(ends[records - 1]);
          }
        }),
        { numRuns: 60 },
      );
    });

    it("carries a line over from one buffer to the next, batch after batch", async () => {
      const line = (i: number): string => `${i} ${"x".repeat((i * 7919) % 3000)}`;
      const content = Buffer.from(Array.from({ length: 2500 }, (_, i) => `${line(i)}\n`).join(""));
      const result = await ship(kind, content, () => 100_000);
      expect(bodiesOf(result)).toEqual(linesOf(content));
      expect(result.cursors.length).toBeGreaterThan(3);
      const ends = lineEnds(content);
      expect(result.cursors.map(({ offset }) => offset)).toEqual(
        result.cursors.map(({ records }) => ends[records - 1]),
      );
    });

    it("fits more records than one batch may hold into several", async () => {
      const content = Buffer.from("\n".repeat(LIMITS.batchRecords * 2 + 5));
      const result = await ship(kind, content);
      expect(result.records).toHaveLength(LIMITS.batchRecords * 2 + 5);
      expect(result.cursors.every(({ records, offset }) => records === offset)).toBe(true);
    });
  });

  describe("a line that is longer than a record may be", () => {
    it.each([
      ["a little", LIMIT + 1],
      ["by far", 5 * LIMIT + 17],
    ])("is cut, by %s too long, and the cursors count what was cut", async (_name, bytes) => {
      const content = Buffer.from(`before\n${"y".repeat(bytes)}\nbehind\n`);
      const result = await ship(kind, content, () => 70_000);
      expect(result.records).toEqual([
        { body: "before", originalBytes: undefined },
        { body: "y".repeat(LIMIT), originalBytes: String(bytes) },
        { body: "behind", originalBytes: undefined },
      ]);
      const ends = lineEnds(content);
      for (const { records, offset } of result.cursors) {
        expect(offset).toBe(ends[records - 1]);
      }
    });

    it("does not move the cursor of the records in front of it while it is still arriving", async () => {
      const wire = new Wire(1);
      const reader = new MemoryReader(`before\n${"y".repeat(LIMIT + 5_000)}`);
      const abort = new AbortController();
      // Something is on its way, so that the records in front wait while the line grows.
      wire.acksAtOnce = false;
      const running = wire.pump(reader, 0, kind).run(abort.signal);
      await wire.until(() => wire.frames.length === 1);
      expect(offsetOf(wire.frames[0]?.cursor ?? new Uint8Array())).toBe("before\n".length);
      const second = `tail\nsecond\n${"z".repeat(LIMIT + 9_000)}`;
      reader.append(second);
      await reader.caughtUp();
      wire.ack();
      await wire.until(() => wire.frames.length === 2);
      const expected = `before\n${"y".repeat(LIMIT + 5_000)}tail\nsecond\n`.length;
      expect(offsetOf(wire.frames[1]?.cursor ?? new Uint8Array())).toBe(expected);
      abort.abort(new Error("done"));
      await expect(running).rejects.toThrow("done");
    });

    it("may be the one that a full batch has no room for", async () => {
      const bytes = LIMIT + 100;
      const content = Buffer.from(`${"\n".repeat(LIMITS.batchRecords)}${"y".repeat(bytes)}\nend\n`);
      const result = await ship(kind, content);
      expect(result.cursors).toEqual([
        { records: LIMITS.batchRecords, offset: LIMITS.batchRecords },
        { records: LIMITS.batchRecords + 2, offset: content.length },
      ]);
      expect(result.records.at(-2)?.originalBytes).toBe(String(bytes));
    });

    it("may be the last one, without an end", async () => {
      const bytes = 2 * LIMIT + 3;
      const result = await ship(kind, `a\n${"y".repeat(bytes)}`, () => 90_000);
      expect(result.records).toEqual([
        { body: "a", originalBytes: undefined },
        { body: "y".repeat(LIMIT), originalBytes: String(bytes) },
      ]);
      expect(result.cursors.at(-1)?.offset).toBe(2 + bytes);
    });

    it("fits a buffer that began small", async () => {
      const wire = new Wire(2);
      const leases = Array.from({ length: 8 }, () => wire.pool.fit(wire.pool.acquire(0), 0, LIMIT));
      expect(leases.at(-1)?.isLarge).toBe(false);
      const content = `${"a".repeat(100_000)}\n${"b".repeat(60_000)}\n${"c".repeat(65_535)}\n${"d".repeat(65_536)}`;
      const reader = new MemoryReader(content, () => 30_000);
      reader.end(ENDED);
      await wire.pump(reader, 0, kind).run(new AbortController().signal);
      await wire.until(() => wire.frames.at(-1)?.kind === "advance");
      const result = shipped(wire);
      expect(bodiesOf(result)).toEqual(content.split("\n"));
      const ends = lineEnds(Buffer.from(content));
      for (const { records, offset } of result.cursors) {
        expect(offset).toBe(ends[records - 1]);
      }
    });
  });

  describe("a file whose rest is lost", () => {
    it("is sent as far as it was read, then the gap, then its end", async () => {
      const wire = new Wire(1);
      const reader = new MemoryReader("one\ntw");
      reader.end({ kind: "lost", reason: "truncated", fromByte: 6, knownBytes: 40 });
      await wire.pump(reader, 0, kind).run(new AbortController().signal);
      await wire.until(() => wire.frames.at(-1)?.kind === "advance");
      const [gap, end] = wire.frames.slice(-2);
      expect(wire.frames.flatMap(recordsOf).map(({ body }) => body)).toEqual(["one", "tw"]);
      expect(gap).toMatchObject({
        kind: "gap",
        cause: "truncated",
        range: { fromByte: 6, bytes: 40 },
        count: 0,
        timeUs: Date.UTC(2026, 10, 24, 12) * 1000,
      });
      expect(end).toMatchObject({ kind: "advance", final: true, firstSeq: 2 });
      expect(decodeStreamCursor(end?.cursor ?? new Uint8Array()).counts).toEqual({
        ...emptyLedger(0),
        storedBytes: 6,
        lostBytes: 40,
      });
      expect(wire.frames.map(({ ordinal }) => ordinal)).toEqual(wire.frames.map((_, i) => i));
    });

    it.each([
      ["deleted", "deleted"],
      ["deadline", "deleted"],
      ["cursor-lost", "cursor_lost"],
    ] as const)("says why: %s", async (reason, cause) => {
      const wire = new Wire(1);
      const reader = new MemoryReader("");
      reader.end({ kind: "lost", reason, fromByte: 0, knownBytes: undefined });
      await wire.pump(reader, 0, kind).run(new AbortController().signal);
      await wire.until(() => wire.frames.length === 2);
      expect(wire.frames[0]).toMatchObject({ kind: "gap", cause, range: "unknown" });
    });
  });

  describe("a pump that is stopped", () => {
    it("gives its buffer back and sends nothing more", async () => {
      const wire = new Wire(1);
      wire.acksAtOnce = false;
      const reader = new MemoryReader("one\n");
      const abort = new AbortController();
      const pump = wire.pump(reader, 0, kind);
      const running = pump.run(abort.signal);
      await wire.until(() => wire.frames.length === 1);
      reader.append("two\n");
      await reader.caughtUp();
      abort.abort(new Error("rewound"));
      await expect(running).rejects.toThrow("rewound");
      wire.ack();
      expect(wire.frames).toHaveLength(1);
    });

    it("stops also where a whole batch waits for credit", async () => {
      const wire = new Wire(1, 0);
      const reader = new MemoryReader("x\n".repeat(LIMITS.batchRecords * 2));
      const abort = new AbortController();
      const running = wire.pump(reader, 0, kind).run(abort.signal);
      // It has read as far as its buffer goes, and stands.
      await expect.poll(() => reader.behindBytes).toBeLessThanOrEqual(LIMITS.batchRecords);
      abort.abort(new Error("rewound"));
      await expect(running).rejects.toThrow("rewound");
      expect(wire.frames).toEqual([]);
    });
  });

  describe("a hole in a file", () => {
    it("is a gap behind the records in front of it, and the file goes on behind it", async () => {
      const wire = new Wire(1);
      const reader = new MemoryReader(`one\ntw${"\0".repeat(50)}three\n`, () => 6);
      reader.hole = { offset: 6, length: 50 };
      reader.end(ENDED);
      await wire.pump(reader, 0, kind).run(new AbortController().signal);
      await wire.until(() => wire.frames.at(-1)?.kind === "advance");
      expect(bodiesOf(shipped(wire))).toEqual(["one", "tw", "three"]);
      const gap = wire.frames.find((frame) => frame.kind === "gap");
      expect(gap).toMatchObject({
        cause: "corrupt",
        range: { fromByte: 6, toByte: 56, bytes: 50 },
        count: 0,
      });
      expect(offsetOf(gap?.cursor ?? new Uint8Array())).toBe(56);
    });
  });
});
