import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBlock } from "../../src/block/block-encoder.ts";
import { type BlockIndex, decodeIndex } from "../../src/block/block-index.ts";
import { type BlockText, decodeText } from "../../src/block/block-text.ts";
import type { Run } from "../../src/block/run.ts";
import { line, runOf, runs, toRecords, writeTime } from "./runs.ts";

interface Decoded {
  readonly index: BlockIndex;
  readonly text: BlockText;
}

function decode(list: readonly Run[], level = 3): Decoded {
  const block = encodeBlock(list, level);
  const index = decodeIndex(block.index, block.indexRawBytes);
  if (!index.ok) throw new Error(index.error.detail);
  const text = decodeText(block.content, block.contentRawBytes, index.value);
  if (!text.ok) throw new Error(text.error.detail);
  return { index: index.value, text: text.value };
}

function bodies(list: readonly Run[]): Buffer[] {
  return list.flatMap((run) => toRecords(run.columns).map(({ body }) => Buffer.from(body)));
}

describe("a block", () => {
  test("renders any runs back exactly", () => {
    fc.assert(
      fc.property(runs, (list) => {
        const { index, text } = decode(list);
        expect(toRecords(text.columns(0, index.count))).toEqual(
          list.flatMap((run) => toRecords(run.columns)),
        );
        expect(index.arrivals).toEqual(list.flatMap((run) => run.arrivals));
        expect([...index.seqs]).toEqual(list.flatMap((run) => [...run.seqs]));
        expect(index.runs.map(({ streamId, count }) => ({ streamId, count }))).toEqual(
          list.map(({ streamId, columns }) => ({ streamId, count: columns.count })),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("gives any of its records by index", () => {
    fc.assert(
      fc.property(runs, fc.infiniteStream(fc.boolean()), (list, picks) => {
        const { index, text } = decode(list);
        const all = list.flatMap((run) => toRecords(run.columns));
        const indices = all.map((_, i) => i).filter(() => picks.next().value === true);
        if (indices.length === 0) indices.push(index.count - 1);
        expect(toRecords(text.gather(indices))).toEqual(indices.map((i) => all[i]));
      }),
    );
  });

  test("tells which record a byte of its text is of", () => {
    fc.assert(
      fc.property(runs, (list) => {
        const { index, text } = decode(list);
        const all = bodies(list);
        let place = 0;
        for (const record of index.order.recordOf) {
          expect(text.recordAt(place)).toBe(record);
          const feeds = (all[record] ?? Buffer.alloc(0)).filter((byte) => byte === 0x0a).length;
          for (let i = 0; i <= feeds; i++) place = text.bytes.indexOf(0x0a, place) + 1;
          expect(text.recordAt(place - 1)).toBe(record);
        }
        expect(place).toBe(text.bytes.length);
      }),
    );
  });

  test.each([
    ["RFC 3339", 0],
    ["RFC 3339 with microseconds", 1],
    ["ISO with a comma", 3],
    ["RFC 3164", 5],
    ["the common log format", 6],
    ["Apache's error log", 7],
    ["HDFS", 8],
    ["Android", 9],
    ["epoch seconds", 10],
    ["epoch milliseconds", 11],
  ])("leaves timestamps as %s writes them out of its text, in any zone", (_, writer) => {
    for (const zone of [0, 330, -480]) {
      const list = Array.from({ length: 100 }, (_unused, i) => {
        const time = 1_764_165_599_123_000 + i * 1_001_000;
        const written = writeTime(writer, time, writer === 0 || writer > 9 ? 0 : zone);
        return line(`${written.replace("+00:00", "-08:00")} host app: ${i}`, time);
      });
      const { text } = decode([runOf(list)]);
      expect(text.bytes.subarray(0, 200).toString()).toContain("\x01");
      expect(text.bytes.toString()).not.toContain("2025");
    }
  });
});

describe("what a block says of texts that its bytes do not hold", () => {
  const pieces = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 12 }));

  test("an occurrence is in its bytes wherever it says that none touches a timestamp", () => {
    fc.assert(
      fc.property(runs, pieces, fc.boolean(), (list, [record, place, length], anyCase) => {
        const { text } = decode(list);
        const all = bodies(list);
        const body = all[record % all.length] ?? Buffer.alloc(0);
        const piece = body.subarray(place % (body.length + 1)).subarray(0, length);
        if (piece.length === 0 || text.mayTouchTimestamp(piece, anyCase)) return;
        const found = text.bytes.toString("latin1").split(piece.toString("latin1")).length;
        expect(found).toBeGreaterThan(1);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("bytes that are no block", () => {
  const damage = fc.tuple(
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    fc.constantFrom("flip", "cut", "add"),
  );

  test("are refused, wherever a byte differs or is missing", () => {
    fc.assert(
      fc.property(runs, damage, fc.boolean(), (list, [place, bits, kind], inIndex) => {
        const block = encodeBlock(list, 3);
        const from = inIndex ? block.index : block.content;
        const at = place % from.length;
        const bytes =
          kind === "cut"
            ? from.subarray(0, at)
            : Buffer.concat([from, Buffer.alloc(+(kind === "add"))]);
        if (kind === "flip") bytes[at] = (bytes[at] ?? 0) ^ bits;
        const index = decodeIndex(inIndex ? bytes : block.index, block.indexRawBytes);
        if (inIndex) {
          expect(index.ok).toBe(false);
          return;
        }
        if (!index.ok) throw new Error(index.error.detail);
        expect(decodeText(bytes, block.contentRawBytes, index.value).ok).toBe(false);
      }),
    );
  });
});
