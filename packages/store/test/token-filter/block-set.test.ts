import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BlockSet } from "../../src/token-filter/block-set.ts";

function setOf(blockCount: number, blocks: Iterable<number>): BlockSet {
  const set = BlockSet.none(blockCount);
  for (const block of blocks) {
    set.add(block);
  }
  return set;
}

const anySets = fc
  .integer({ min: 1, max: 100 })
  .chain((blockCount) =>
    fc.tuple(
      fc.constant(blockCount),
      fc.uniqueArray(fc.nat({ max: blockCount - 1 })),
      fc.uniqueArray(fc.nat({ max: blockCount - 1 })),
    ),
  );

describe("a set of blocks", () => {
  it("behaves as a set of numbers does", () => {
    fc.assert(
      fc.property(anySets, ([blockCount, first, second]) => {
        const all = Array.from({ length: blockCount }, (_, block) => block);
        const a = setOf(blockCount, first);
        const b = setOf(blockCount, second);
        expect(Array.from(a)).toEqual(all.filter((block) => first.includes(block)));
        expect(all.filter((block) => a.has(block))).toEqual(Array.from(a));
        expect(a.size).toBe(first.length);
        expect(a.isEmpty).toBe(first.length === 0);
        expect(Array.from(a.complement())).toEqual(all.filter((block) => !first.includes(block)));
        expect(Array.from(a.intersect(b))).toEqual(Array.from(a).filter((block) => b.has(block)));
        expect(Array.from(a.union(b))).toEqual(all.filter((block) => a.has(block) || b.has(block)));
        expect(Array.from(BlockSet.all(blockCount))).toEqual(all);
      }),
    );
  });

  it("refuses blocks that are not there and sets of other segments", () => {
    expect(() => BlockSet.none(3).add(3)).toThrow(RangeError);
    expect(() => BlockSet.none(3).add(-1)).toThrow(RangeError);
    expect(() => BlockSet.none(3).intersect(BlockSet.none(4))).toThrow(RangeError);
    expect(() => BlockSet.none(3).union(BlockSet.none(4))).toThrow(RangeError);
    expect(BlockSet.all(3).has(3)).toBe(false);
  });
});
