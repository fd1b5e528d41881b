import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Run } from "../../src/block/run.ts";
import {
  concatRuns,
  selectFromRun,
  sliceArrivals,
  sliceRun,
} from "../../src/block/run-selection.ts";
import { runs, toRecords } from "./runs.ts";

/** Each record with all that its run says of it: what a selection must not change. */
function told({ streamId, columns, seqs, arrivals }: Run): unknown[] {
  const arrivalOf = arrivals.flatMap(({ count, receivedUs, batchId }) =>
    Array.from({ length: count }, () => [receivedUs, batchId]),
  );
  expect(arrivalOf).toHaveLength(columns.count);
  expect(seqs).toHaveLength(columns.count);
  return toRecords(columns).map((record, i) => [streamId, seqs[i], arrivalOf[i], record]);
}

const anyRun = runs.map(([first]) => first as Run);

describe("of a run", () => {
  it("any records can be taken, with what is known of each", () => {
    fc.assert(
      fc.property(anyRun, fc.func(fc.boolean()), (run, isTaken) => {
        const indices = Array.from({ length: run.columns.count }, (_, i) => i).filter((i) =>
          isTaken(i),
        );
        const all = told(run);
        const selected = selectFromRun(run, indices);
        expect(selected === undefined ? [] : told(selected)).toEqual(indices.map((i) => all[i]));
      }),
    );
  });

  it("a part can be cut out, and the parts put together are the whole", () => {
    fc.assert(
      fc.property(anyRun, fc.nat({ max: 40 }), fc.nat({ max: 40 }), (run, a, b) => {
        const { count } = run.columns;
        const cuts = [0, a % (count + 1), b % (count + 1), count].toSorted((x, y) => x - y);
        const parts = cuts
          .slice(1)
          .map((to, i) => [cuts[i] ?? 0, to] as const)
          .filter(([from, to]) => from < to)
          .map(([from, to]) => sliceRun(run, from, to));
        const all = told(run);
        expect(parts.flatMap(told)).toEqual(all);
        expect(told(concatRuns(parts))).toEqual(all);
      }),
    );
  });

  it("that was put together, arrivals that are the same are one", () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const { count } = run.columns;
        const single = Array.from({ length: count }, (_, i) => sliceRun(run, i, i + 1));
        expect(concatRuns(single).arrivals.length).toBeLessThanOrEqual(run.arrivals.length);
      }),
    );
  });

  it.each([
    [0, 5, [2, 3]],
    [0, 2, [2]],
    [1, 3, [1, 1]],
    [2, 5, [3]],
    [4, 5, [1]],
  ])("the arrivals of records %i to %i are counted", (from, to, counts) => {
    const arrivals = [
      { count: 2, receivedUs: 1, batchId: 1 },
      { count: 3, receivedUs: 2, batchId: 2 },
    ];
    expect(sliceArrivals(arrivals, from, to).map(({ count }) => count)).toEqual(counts);
  });
});
