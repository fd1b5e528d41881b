import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Run } from "../../src/block/run.ts";
import { selectFromRun, sliceRun } from "../../src/block/run-selection.ts";
import { RunOrder } from "../../src/maintenance/run-order.ts";
import { line, runOf, toRecords } from "../block/runs.ts";

const RECORDS = 30;

function stream(streamId: number): Run {
  return runOf(
    Array.from({ length: RECORDS }, (_, i) => line(`${streamId}-${i}`)),
    streamId,
  );
}

function ordered(runs: readonly Run[]): Run[] {
  const order = new RunOrder();
  const sorted = runs.toSorted(
    (a, b) => a.streamId - b.streamId || (a.seqs[0] ?? 0) - (b.seqs[0] ?? 0),
  );
  return [...sorted.flatMap((run) => [...order.push(run)]), ...order.flush()];
}

function told(runs: readonly Run[]): string[] {
  return runs.flatMap(({ streamId, columns, seqs }) =>
    toRecords(columns).map(
      ({ body }, i) => `${streamId}-${seqs[i]}: ${Buffer.from(body).toString()}`,
    ),
  );
}

describe("runs of several segments", () => {
  it("come in the order of their records, whichever segment these lie in", () => {
    // Each record's segment, and where the runs of a segment are cut.
    const places = fc.array(fc.nat({ max: 3 }), { minLength: RECORDS, maxLength: RECORDS });
    const cuts = fc.array(fc.integer({ min: 1, max: RECORDS }), { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(places, cuts), { maxLength: 3 }), (streams) => {
        const whole = streams.map((_, streamId) => stream(streamId));
        const runs = streams.flatMap(([place, ends], streamId) =>
          [0, 1, 2, 3].flatMap((segment) => {
            const indices = place.flatMap((one, i) => (one === segment ? [i] : []));
            const own = selectFromRun(whole[streamId] as Run, indices);
            if (own === undefined) {
              return [];
            }
            const { count } = own.columns;
            const at = [0, ...ends.filter((end) => end < count), count].toSorted((a, b) => a - b);
            return at
              .slice(1)
              .map((to, i) => [at[i] ?? 0, to] as const)
              .filter(([from, to]) => from < to)
              .map(([from, to]) => sliceRun(own, from, to));
          }),
        );
        expect(told(ordered(runs))).toEqual(told(whole));
      }),
    );
  });

  it("that do not overlap are left whole", () => {
    const run = stream(1);
    const parts = [sliceRun(run, 0, 10), sliceRun(run, 10, 20), sliceRun(run, 20, 30), stream(2)];
    expect(ordered(parts)).toEqual(parts);
  });

  it("are refused where a record is in two of them", () => {
    expect(() => ordered([stream(1), sliceRun(stream(1), 3, 5)])).toThrow("1-3 is stored twice");
  });
});
