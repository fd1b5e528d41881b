import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BitReader } from "../../src/token-filter/bit-reader.ts";
import { BitWriter } from "../../src/token-filter/bit-writer.ts";

const anyItem = fc.oneof(
  fc.nat({ max: 32 }).chain((width) =>
    fc.record({
      kind: fc.constant("plain" as const),
      width: fc.constant(width),
      value: fc.nat({ max: 0xffff_ffff }).map((value) => value % 2 ** width),
    }),
  ),
  fc.nat({ max: 30 }).chain((width) =>
    fc.record({
      kind: fc.constant("rice" as const),
      width: fc.constant(width),
      value: fc.nat({ max: 200 * 2 ** width }).map((value) => value % 2 ** 32),
    }),
  ),
);

describe("numbers written as bits", () => {
  it("are read as they were written, also where the writer is used again", () => {
    const writer = new BitWriter();
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 100 }), (items) => {
        writer.reset();
        for (const { kind, value, width } of items) {
          if (kind === "plain") writer.write(value, width);
          else writer.writeRice(value, width);
        }
        const reader = new BitReader(writer.toBuffer(3), 3);
        for (const { kind, value, width } of items) {
          expect(kind === "plain" ? reader.read(width) : reader.readRice(width)).toBe(value);
        }
        expect(reader.isOver).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it("end: what is read behind them is known to be nothing", () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(3), Buffer.from([0x80])]) {
      const reader = new BitReader(bytes, 0);
      reader.readRice(9);
      expect(reader.isOver).toBe(true);
    }
  });
});
