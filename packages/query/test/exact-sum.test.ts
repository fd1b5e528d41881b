import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExactSum } from "../src/exact-sum.ts";

function sumOf(values: readonly number[]): ExactSum {
  const sum = new ExactSum();
  values.forEach((value) => sum.add(value));
  return sum;
}

/** In units of the smallest double, so that each of them is whole. */
function exactly(value: number): bigint {
  let [scaled, shift] = [value, 0n];
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    shift += 1n;
  }
  return BigInt(scaled) << (1074n - shift);
}

const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e200, max: 1e200 }),
  fc.integer().map((n) => n / 10),
  fc.maxSafeInteger(),
  fc.constantFrom(2 ** 53, -(2 ** 53), 1, -1, 0.5, 2 ** -53, -(2 ** -54), 1e100, -1e100),
);

describe("an exact sum", () => {
  test.each<[readonly number[], number]>([
    [[], 0],
    [[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 1],
    [[1e16, 1, -1e16], 1],
    [[1e100, 1, -1e100, 1e-9], 1.000000001],
    [[Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 1, 1], 2 ** 54],
    [[1, 2 ** -53, 2 ** -1000], 1 + 2 ** -52],
    [[1, 2 ** -53, -(2 ** -1000)], 1],
    [[Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE], Number.MAX_VALUE],
    [[Number.MAX_VALUE, Number.MAX_VALUE], Infinity],
    [[Number.MAX_VALUE, 1, -Number.MAX_VALUE], 1],
    [[5e-324, 5e-324], 1e-323],
  ])("of %j is %d", (values, expected) => {
    expect(sumOf(values).read()).toBe(expected);
  });

  test("is the double next to the sum", () => {
    fc.assert(
      fc.property(fc.array(doubles, { maxLength: 12 }), (values) => {
        const read = sumOf(values).read();
        const exact = values.reduce((sum, value) => sum + exactly(value), 0n);
        const off = exactly(read) - exact;
        // Half of the distance to the neighbours of a double is at most one in 2 ** 53 of it.
        expect((off < 0n ? -off : off) << 53n <= (exact < 0n ? -exact : exact)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("does not depend on the order or on how it is shared out", () => {
    const shares = fc.array(fc.array(doubles, { maxLength: 6 }), { maxLength: 5 });
    fc.assert(
      fc.property(shares, (parts) => {
        const merged = new ExactSum();
        for (const part of parts.toReversed()) {
          merged.merge(sumOf(part).state());
        }
        expect(merged.read()).toBe(sumOf(parts.flat()).read());
      }),
      { numRuns: 2000 },
    );
  });
});
