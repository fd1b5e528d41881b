import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SeqSet } from "../../src/doctor/seq-set.ts";

const NEAR_PAGE_ENDS = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 65_500, max: 65_600 }),
  fc.integer({ min: 131_040, max: 131_100 }),
);

describe("a set of sequence numbers", () => {
  it("counts as a plain set does, whatever is added in ranges and one by one", () => {
    const seqs = fc.oneof(
      fc.tuple(NEAR_PAGE_ENDS, NEAR_PAGE_ENDS).map(([a, b]) => {
        const [first, last] = a < b ? [a, b] : [b, a];
        return { first, last };
      }),
      fc
        .uniqueArray(NEAR_PAGE_ENDS, { minLength: 1, maxLength: 10 })
        .map((list) => Float64Array.from(list.toSorted((a, b) => a - b))),
    );
    fc.assert(
      fc.property(fc.array(seqs, { maxLength: 6 }), (list) => {
        const set = new SeqSet();
        const model = new Set<number>();
        for (const one of list) {
          const all =
            one instanceof Float64Array
              ? [...one]
              : Array.from({ length: one.last - one.first + 1 }, (_, i) => one.first + i);
          const known = all.filter((seq) => model.has(seq)).length;
          expect(set.count(one)).toBe(known);
          expect(set.add(one)).toBe(known);
          all.forEach((seq) => model.add(seq));
        }
      }),
      { numRuns: 50 },
    );
  });
});
