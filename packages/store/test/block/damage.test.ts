import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBlock } from "../../src/block/block-encoder.ts";
import { decodeIndex } from "../../src/block/block-index.ts";
import { decodeText } from "../../src/block/block-text.ts";
import { packSections, unpackSections } from "../../src/block/section.ts";
import { line, runOf, runs } from "./runs.ts";

const damage = fc.record({
  place: fc.nat(),
  bits: fc.integer({ min: 1, max: 255 }),
  kind: fc.constantFrom("flip", "cut", "add"),
});
type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

function damaged(bytes: Buffer, { place, bits, kind }: Damage): Buffer {
  const at = place % Math.max(1, bytes.length);
  if (kind === "cut") return bytes.subarray(0, at);
  if (kind === "add") return Buffer.concat([bytes, Buffer.of(bits)]);
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[at]! ^= bits;
  return copy;
}

/** The sections of a blob, one of them damaged, in a blob whose checksum is right. */
function repacked(blob: Buffer, rawBytes: number, which: number, wound: Damage) {
  const unpacked = unpackSections(blob, rawBytes);
  if (!unpacked.ok) throw new Error(unpacked.error.detail);
  const sections = unpacked.value.map((section, i, all) =>
    i === which % all.length ? damaged(section, wound) : section,
  );
  const bytes = sections.reduce((sum, section) => sum + section.length, 0);
  return { blob: packSections(sections, 1), bytes };
}

describe("bytes that are no block", () => {
  test("are refused, wherever a byte differs or is missing", () => {
    fc.assert(
      fc.property(runs, damage, fc.boolean(), (list, wound, inIndex) => {
        const block = encodeBlock(list, 3);
        if (inIndex) {
          const bytes = damaged(block.index, wound);
          expect(decodeIndex(bytes, block.indexRawBytes).ok).toBe(false);
          return;
        }
        const index = decodeIndex(block.index, block.indexRawBytes);
        if (!index.ok) throw new Error(index.error.detail);
        const bytes = damaged(block.content, wound);
        expect(decodeText(bytes, block.contentRawBytes, index.value).ok).toBe(false);
      }),
    );
  });

  test("never throw where they are decoded, even with right checksums", () => {
    fc.assert(
      fc.property(runs, fc.nat(), damage, (list, which, wound) => {
        const block = encodeBlock(list, 1);
        const { blob, bytes } = repacked(block.index, block.indexRawBytes, which, wound);
        const index = decodeIndex(blob, bytes);
        if (!index.ok) return;
        expect(index.value.timesUs).toHaveLength(index.value.count);
        const text = decodeText(block.content, block.contentRawBytes, index.value);
        expect(text.ok || text.error.code).toBeTruthy();
      }),
      { numRuns: 300 },
    );
  });

  test("are found out by the records that they hold, at the latest", () => {
    fc.assert(
      fc.property(runs, fc.nat(), damage, (list, which, wound) => {
        const block = encodeBlock(list, 1);
        const index = decodeIndex(block.index, block.indexRawBytes);
        if (!index.ok) throw new Error(index.error.detail);
        const { blob, bytes } = repacked(block.content, block.contentRawBytes, which, wound);
        const text = decodeText(blob, bytes, index.value);
        if (!text.ok) return;
        try {
          const columns = text.value.columns(0, index.value.count);
          expect(columns.bodyOffsets.at(-1)).toBe(columns.bodies.length);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("of random make are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 1000 }), (bytes, rawBytes) => {
        expect(decodeIndex(bytes, rawBytes).ok).toBe(false);
      }),
    );
  });

  test.each([
    ["more than a block may inflate to", 2 ** 40, "limit_exceeded"],
    ["less than nothing", -1, "limit_exceeded"],
    ["no number", NaN, "limit_exceeded"],
    ["another size than the sections have", 17, "bad_block"],
  ])("are refused unread where their size is stated as %s", (_, rawBytes, code) => {
    const { index } = encodeBlock([runOf([line("x")])], 3);
    const result = decodeIndex(index, rawBytes);
    expect(!result.ok && result.error.code).toBe(code);
  });

  test("of a later version say so", () => {
    const { index, indexRawBytes } = encodeBlock([runOf([line("x")])], 3);
    index[0] = 9;
    const result = decodeIndex(index, indexRawBytes);
    expect(!result.ok && result.error).toEqual({
      code: "unknown_version",
      detail: "a block of version 9",
    });
  });

  test("of two blocks do not make one", () => {
    const one = encodeBlock([runOf([line("x"), line("y")])], 3);
    const other = encodeBlock([runOf([line("a long line\nwith a feed"), line("z"), line("w")])], 3);
    const index = decodeIndex(one.index, one.indexRawBytes);
    if (!index.ok) throw new Error(index.error.detail);
    const text = decodeText(other.content, other.contentRawBytes, index.value);
    expect(() => text.ok && text.value.columns(0, 2)).toThrow(RangeError);
  });

  test("are not made of more than may be unpacked", () => {
    expect(() => packSections([Buffer.alloc(2 ** 26 + 1)], 1)).toThrow(RangeError);
  });
});
