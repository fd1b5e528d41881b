import type { RecordColumns } from "@sluice/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Stage } from "../src/ast.ts";
import type { Cell } from "../src/cell.ts";
import { parseQuery } from "../src/parser.ts";
import { canBePartial, createPartial } from "../src/partial.ts";
import type { PartialState } from "../src/partial.ts";
import { createPipeline } from "../src/pipeline.ts";
import { PIPELINE_LIMITS } from "../src/pipeline-error.ts";
import type { RecordInput } from "../src/record-input.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import type { TestRecord } from "./blocks.ts";

function stagesOf(text: string): readonly Stage[] {
  const parsed = parseQuery(`* | ${text}`);
  if (!parsed.ok) {
    throw new Error(parsed.error.message);
  }
  return parsed.value.stages;
}

function collect(stages: readonly Stage[]) {
  const rows: (readonly Cell[])[] = [];
  const pipeline = createPipeline(stages, {
    emit: (row) => rows.push(row.kind === "table" ? row.cells : []),
  });
  return { pipeline, rows };
}

/** How a share is handed in: one by one, by indices, or whole. */
type Manner = "each" | "some" | "all";

interface Share {
  readonly host: string;
  readonly columns: RecordColumns;
  readonly manner: Manner;
  readonly partial: number;
}

function put(input: RecordInput, { host, columns, manner }: Share): void {
  const stream = { ...STREAM, host };
  const indices = Array.from({ length: columns.count }, (_, i) => i);
  switch (manner) {
    case "each":
      indices.forEach((index) => input.push(stream, columns, index));
      break;
    case "some":
      input.pushMany(stream, columns, indices.slice(0, 2));
      input.pushMany(stream, columns, Uint32Array.from(indices.slice(2)));
      break;
    case "all":
      input.pushMany(stream, columns);
      break;
    default:
      manner satisfies never;
  }
}

const values = fc.oneof(
  fc.constantFrom("1", "10", "10.0", "01", "-0", "0", "0.1", "1e308", "1e400", "x", ""),
  fc.constantFrom("9007199254740993", "9007199254740992.0", "-9007199254740993"),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);
const records: fc.Arbitrary<TestRecord> = fc.record({
  body: fc.tuple(values, values).map(([v, w]) => `v=${v} w=${w}`),
  timeUs: fc.nat(9).map((minute) => minute * 60e6),
  severity: fc.constantFrom(0, 9, 13, 14, 17, 24),
});
const shares: fc.Arbitrary<readonly Share[]> = fc.array(
  fc.record({
    host: fc.constantFrom("web-1", "web-2"),
    columns: fc.array(records, { minLength: 1, maxLength: 12 }).map(columnsOf),
    manner: fc.constantFrom<Manner>("each", "some", "all"),
    partial: fc.nat(4),
  }),
  { maxLength: 8 },
);

const QUERIES = [
  "stats count()",
  "stats count() by host",
  "stats count() by level, 2m, host",
  "stats count() by severity | sort count desc | limit 2",
  "stats count() by v",
  "stats count() by v, w | limit 3",
  "stats avg(v), min(v), max(v), p95(v), uniq(v) by host",
  "stats min(v), max(w), avg(w), p95(w), uniq(w), max(time)",
  "stats uniq(v) by 3m | stats max(uniq(v))",
  "top 3 v",
  "top 2 host | fields count",
  "fields v, w | stats avg(w), count() by v",
  "fields v, w | fields w | top 2 w",
];

describe("partials over shares of the records", () => {
  test("give together what one pipeline gives over all of them", () => {
    fc.assert(
      fc.property(fc.constantFrom(...QUERIES), shares, (text, all) => {
        const stages = stagesOf(text);
        const whole = collect(stages);
        for (const { host, columns } of all) {
          put(whole.pipeline, { host, columns, manner: "each", partial: 0 });
        }
        const merged = collect(stages);
        // The merging pipeline takes a share of its own.
        const partials = Array.from({ length: 4 }, () => createPartial(stages));
        for (const share of all) {
          put(partials[share.partial] ?? merged.pipeline, share);
        }
        for (const partial of partials.toReversed()) {
          merged.pipeline.merge(structuredClone(partial.state()));
        }
        expect(whole.pipeline.finish()).toEqual(merged.pipeline.finish());
        expect(merged.rows).toEqual(whole.rows);
      }),
      { numRuns: 800 },
    );
  });

  test("agree also where quantiles are counted in bins", () => {
    const stages = stagesOf("stats p95(v), avg(v) by host");
    const blocks = Array.from({ length: 30 }, (_, block) =>
      columnsOf(
        Array.from({ length: 90 }, (__, i) => ({ body: `v=${(block * 90 + i) ** 2 / 7}` })),
      ),
    );
    for (const cuts of [[30], [5, 30], [1, 2, 29, 30], [11, 12, 30]]) {
      const whole = collect(stages);
      const merged = collect(stages);
      let from = 0;
      for (const cut of cuts) {
        const partial = createPartial(stages);
        for (const columns of blocks.slice(from, cut)) {
          whole.pipeline.pushMany(STREAM, columns);
          partial.pushMany(STREAM, columns);
        }
        merged.pipeline.merge(structuredClone(partial.state()));
        from = cut;
      }
      whole.pipeline.finish();
      merged.pipeline.finish();
      expect(merged.rows).toEqual(whole.rows);
      expect(merged.rows).toHaveLength(1);
    }
  });
});

describe("the limits", () => {
  function sharesOf(stages: readonly Stage[], count: number, bodyOf: (i: number) => string) {
    return [0, 1].map((half): PartialState => {
      const partial = createPartial(stages);
      const mine = Array.from({ length: count }, (_, i) => bodyOf(2 * i + half));
      partial.pushMany(STREAM, columnsOf(mine.map((body) => ({ body }))));
      return partial.state();
    });
  }

  test("hold over what is merged", () => {
    const stages = stagesOf("stats count() by n");
    const half = PIPELINE_LIMITS.groups / 2;
    const [first, second] = sharesOf(stages, half + 1, (i) => `n=${i}`);
    const { pipeline, rows } = collect(stages);
    expect(pipeline.merge(first!)).toBe("more");
    expect(pipeline.merge(second!)).toBe("failed");
    expect(pipeline.finish()).toMatchObject({ ok: false, error: { code: "too_many_groups" } });
    expect(rows).toEqual([]);
  });

  test("do not count a group twice that two shares hold", () => {
    const stages = stagesOf("stats count() by n");
    const half = PIPELINE_LIMITS.groups / 2;
    const { pipeline, rows } = collect(stages);
    sharesOf(stages, half + 1, (i) => `n=${i >> 1}`).forEach(pipeline.merge);
    expect(pipeline.finish().ok).toBe(true);
    expect(rows).toHaveLength(half + 1);
  });

  test("reach the merging pipeline from a share", () => {
    const stages = stagesOf("stats count() by n");
    const partial = createPartial(stages);
    const all = Array.from({ length: PIPELINE_LIMITS.groups + 1 }, (_, i) => ({ body: `n=${i}` }));
    expect(partial.pushMany(STREAM, columnsOf(all))).toBe("failed");
    const { pipeline } = collect(stages);
    expect(pipeline.merge(structuredClone(partial.state()))).toBe("failed");
    expect(pipeline.finish()).toMatchObject({ ok: false, error: { code: "too_many_groups" } });
  });
});

describe("canBePartial", () => {
  test.each<[string, boolean]>([
    ["stats count()", true],
    ["top 3 v | limit 1", true],
    ["fields v | fields v | stats count() by v", true],
    ["fields v", false],
    ["limit 5 | stats count()", false],
    ["sort v | stats count()", false],
    ["fields v | limit 2 | top 3 v", false],
  ])("of %s: %s", (text, can) => {
    const stages = stagesOf(text);
    expect(canBePartial(stages)).toBe(can);
    if (!can) {
      expect(() => createPartial(stages)).toThrow(RangeError);
      expect(() => collect(stages).pipeline.merge({ kind: "groups", groups: [] })).toThrow(
        TypeError,
      );
    }
  });
});
