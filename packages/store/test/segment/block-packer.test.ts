import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Run } from "../../src/block/run.ts";
import { BLOCK_BYTES, BlockPacker, OWN_BLOCK_BYTES } from "../../src/segment/block-packer.ts";
import { line, type RecordOfTest, runOf, toRecords } from "../block/runs.ts";

/** Runs of each block: the stream, and bytes of its bodies. */
type Layout = readonly (readonly (readonly [stream: number, bytes: number])[])[];

function pack(runs: readonly Run[]): (readonly Run[])[] {
  const blocks: (readonly Run[])[] = [];
  // A copy: the bodies are there until this returns.
  const packer = new BlockPacker((block) => blocks.push(structuredClone(block)));
  runs.forEach((one) => packer.add(structuredClone(one))); // which it takes over
  packer.flush();
  return blocks;
}

/** A run of records that each take so many bytes, their LF included. */
function run(streamId: number, bytes: readonly number[], firstSeq = 0): Run {
  const records = bytes.map((length) => line("x".repeat(length - 1)));
  return { ...runOf(records, streamId), seqs: Float64Array.from(bytes, (_, i) => firstSeq + i) };
}

function layoutOf(blocks: readonly (readonly Run[])[]): Layout {
  return blocks.map((block) =>
    block.map(({ streamId, columns }) => [streamId, columns.bodies.length] as const),
  );
}

const KIB = 1024;

describe("blocks", () => {
  it.each<[string, Run[], Layout]>([
    ["are none where there is nothing", [], []],
    ["hold one small stream", [run(1, [10])], [[[1, 10]]]],
    [
      "hold small streams together",
      [run(1, [10]), run(2, [20, 5]), run(3, [1])],
      [
        [
          [1, 10],
          [2, 25],
          [3, 1],
        ],
      ],
    ],
    [
      "hold one run a stream, however many came in",
      [run(1, [10]), run(1, [20], 1), run(2, [5])],
      [
        [
          [1, 30],
          [2, 5],
        ],
      ],
    ],
    [
      "are a stream's own from a size on",
      [run(1, [10]), run(2, [OWN_BLOCK_BYTES]), run(3, [20])],
      [
        [[2, OWN_BLOCK_BYTES]],
        [
          [1, 10],
          [3, 20],
        ],
      ],
    ],
    [
      "are shared by one that is a byte smaller",
      [run(1, [10]), run(2, [OWN_BLOCK_BYTES - 1])],
      [
        [
          [1, 10],
          [2, OWN_BLOCK_BYTES - 1],
        ],
      ],
    ],
    ["are full at their size", [run(1, [BLOCK_BYTES])], [[[1, BLOCK_BYTES]]]],
    [
      "end with the record that fills them, and the rest is shared",
      [run(1, [BLOCK_BYTES - 10, 20, 30]), run(2, [5])],
      [
        [[1, BLOCK_BYTES + 10]],
        [
          [1, 30],
          [2, 5],
        ],
      ],
    ],
    [
      "hold a record that is larger than a block alone with what came before it",
      [run(1, [10, 3 * BLOCK_BYTES, 20])],
      [[[1, 10 + 3 * BLOCK_BYTES]], [[1, 20]]],
    ],
    [
      "are cut out of one long run as out of many short ones",
      [
        run(
          1,
          Array.from({ length: 33 }, () => 64 * KIB),
        ),
      ],
      [[[1, BLOCK_BYTES]], [[1, BLOCK_BYTES]], [[1, 64 * KIB]]],
    ],
    [
      "are not shared beyond their size",
      Array.from({ length: 18 }, (_, i) => run(i, [60 * KIB])),
      [Array.from({ length: 17 }, (_, i) => [i, 60 * KIB] as const), [[17, 60 * KIB]]],
    ],
  ])("%s", (_what, runs, layout) => {
    expect(layoutOf(pack(runs))).toEqual(layout);
  });

  it("hold each record once, in the order of its stream, whatever the sizes", () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 70 * KIB }),
      fc.constantFrom(OWN_BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES + 1, BLOCK_BYTES - 1),
    );
    const streams = fc.array(
      fc.array(fc.array(size, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(streams, (all) => {
        const runs = all.flatMap((parts, streamId) => {
          let seq = 0;
          return parts.map((sizes) => {
            const part = run(streamId, sizes, seq);
            seq += sizes.length;
            return part;
          });
        });
        const blocks = pack(runs);
        const told = (list: readonly Run[]): unknown[] =>
          list.flatMap(({ streamId, seqs, columns }) =>
            toRecords(columns).map(({ body }: RecordOfTest, i) => [streamId, seqs[i], body.length]),
          );
        const byStream = (a: unknown, b: unknown): number => {
          const [x, y] = [a, b] as [number[], number[]];
          return (x[0] ?? 0) - (y[0] ?? 0);
        };
        // Only stably sorted: of one stream the order must be right already.
        expect(told(blocks.flat()).toSorted(byStream)).toEqual(told(runs));
        for (const block of blocks) {
          const bytes = block.map(({ columns }) => columns.bodies.length);
          expect(new Set(block.map(({ streamId }) => streamId)).size).toBe(block.length);
          expect(block.length === 1 || bytes.every((one) => one < OWN_BLOCK_BYTES)).toBe(true);
          if (block.length > 1) {
            expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(BLOCK_BYTES);
          }
          for (const { columns, arrivals } of block) {
            expect(arrivals.reduce((sum, { count }) => sum + count, 0)).toBe(columns.count);
          }
        }
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
