import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cell } from "../src/cell.ts";
import { parseQuery } from "../src/parser.ts";
import { createPipeline } from "../src/pipeline.ts";
import type { PipelineRow } from "../src/operator.ts";
import { PIPELINE_LIMITS, ValueBudget } from "../src/pipeline-error.ts";
import { Quantile } from "../src/quantile.ts";
import { compileTimeBucket } from "../src/time-bucket.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import type { TestRecord } from "./blocks.ts";

function run(stages: string, records: readonly TestRecord[]) {
  const parsed = parseQuery(`* | ${stages}`);
  if (!parsed.ok) {
    throw new Error(parsed.error.message);
  }
  const rows: PipelineRow[] = [];
  const pipeline = createPipeline(parsed.value.stages, { emit: (row) => rows.push(row) });
  const columns = columnsOf(records);
  const states = records.map((_, index) => pipeline.push(STREAM, columns, index));
  const early = rows.length;
  const result = pipeline.finish();
  return {
    names: pipeline.columns?.map(({ name }) => name),
    types: pipeline.columns?.map(({ type }) => type),
    cells: rows.map((row): readonly Cell[] => (row.kind === "table" ? row.cells : ["a record"])),
    bodies: rows.map((row) =>
      row.kind === "record"
        ? Buffer.from(row.record.columns.bodies)
            .subarray(
              row.record.columns.bodyOffsets[row.record.index],
              (row.record.columns.bodyOffsets[row.record.index + 1] ?? 0) - 1,
            )
            .toString()
        : "a row",
    ),
    states,
    early,
    result,
  };
}

const REQUESTS: readonly TestRecord[] = [
  { body: "took=30 user=ann", attributes: { path: "/a" }, timeUs: 0, severity: 9 },
  { body: "took=10 user=bob", attributes: { path: "/b" }, timeUs: 299e6, severity: 17 },
  { body: "took=20 user=ann", attributes: { path: "/a" }, timeUs: 300e6, severity: 9 },
  { body: "took=x", timeUs: 301e6, severity: 0 },
];

describe("fields", () => {
  test("gives built-in and looked-up fields of each record at once", () => {
    const { names, types, cells, early } = run("fields time, host, level, user, body", REQUESTS);
    expect(names).toEqual(["time", "host", "level", "user", "body"]);
    expect(types).toEqual(["time", "text", "text", "text", "text"]);
    expect(cells[1]).toEqual([299e6, "web-1", "error", "bob", "took=10 user=bob"]);
    expect(cells[3]).toEqual([301e6, "web-1", "unknown", undefined, "took=x"]);
    expect(early).toBe(4);
  });
});

describe("limit", () => {
  test("says that it is done with the last record that it lets through", () => {
    const { bodies, states, names } = run("limit 2", REQUESTS);
    expect(bodies).toEqual(["took=30 user=ann", "took=10 user=bob"]);
    expect(states).toEqual(["more", "done", "done", "done"]);
    expect(names).toBeUndefined();
  });

  test("counts what the stage before it gives", () => {
    expect(run("stats count() by user | limit 1", REQUESTS).cells).toEqual([["ann", 2]]);
    expect(run("limit 2 | stats count()", REQUESTS).cells).toEqual([[2]]);
  });
});

describe("stats", () => {
  test("computes each function over numbers and leaves out what is none", () => {
    const { names, types, cells } = run(
      "stats count(), min(took), max(took), avg(took), p95(took), uniq(user), max(time)",
      REQUESTS,
    );
    expect(names).toEqual([
      "count",
      "min(took)",
      "max(took)",
      "avg(took)",
      "p95(took)",
      "uniq(user)",
      "max(time)",
    ]);
    expect(types).toEqual(["number", "number", "number", "number", "number", "number", "time"]);
    expect(cells).toEqual([[4, 10, 30, 20, 30, 2, 301e6]]);
  });

  test("groups by fields and time, in the order of the keys", () => {
    const { names, cells } = run("stats count(), max(took) by 5m, path", REQUESTS);
    expect(names).toEqual(["time", "path", "count", "max(took)"]);
    expect(cells).toEqual([
      [0, "/a", 1, 30],
      [0, "/b", 1, 10],
      [300e6, "/a", 1, 20],
      [300e6, undefined, 1, undefined],
    ]);
  });

  test("orders numbers as numbers", () => {
    const records = ["10", "9", "x", "100"].map((n) => ({ body: `n=${n}` }));
    expect(run("stats count() by n", records).cells.map(([n]) => n)).toEqual([
      "9",
      "10",
      "100",
      "x",
    ]);
  });

  test("gives one row without keys and none with them when there is no record", () => {
    expect(run("stats count(), avg(x), uniq(x)", []).cells).toEqual([[0, undefined, 0]]);
    expect(run("stats count() by host", []).cells).toEqual([]);
  });

  test("keeps keys apart that would read the same side by side", () => {
    const records = [
      { body: "", attributes: { a: "1:x", b: "y" } },
      { body: "", attributes: { a: "1", b: "x,1:y" } },
      { body: "", attributes: { a: "undefined undefined" } },
      { body: "" },
    ];
    expect(run("stats count() by a, b", records).cells.map((row) => row.at(-1))).toEqual([
      1, 1, 1, 1,
    ]);
  });

  test("keeps integers beyond doubles exact", () => {
    const records = ["9007199254740993", "9007199254740995", "-9007199254740997"].map((id) => ({
      body: `id=${id}`,
    }));
    expect(run("stats min(id), max(id)", records).cells).toEqual([
      [-9007199254740997n, 9007199254740995n],
    ]);
  });

  test("can be computed over the rows of another", () => {
    const { names, cells } = run("stats count() by user, 5m | stats max(count) by user", REQUESTS);
    expect(names).toEqual(["user", "max(count)"]);
    expect(cells).toEqual([
      ["ann", 1],
      ["bob", 1],
      [undefined, 1],
    ]);
  });

  test("gives up with a reason when there are too many groups", () => {
    const records = Array.from({ length: PIPELINE_LIMITS.groups + 1 }, (_, i) => ({
      body: `n=${i}`,
    }));
    const { states, result, cells } = run("stats count() by n", records);
    expect(states.at(-2)).toBe("more");
    expect(states.at(-1)).toBe("failed");
    expect(result).toMatchObject({ ok: false, error: { code: "too_many_groups" } });
    expect(cells).toEqual([]);
  });
});

describe("top", () => {
  test("gives the most frequent values that are there, equal ones in their order", () => {
    const records = ["b", "a", "c", "b", "a", "d", "b"].map((v) => ({
      body: "",
      attributes: { v },
    }));
    const { names, cells } = run("top 3 v", [...records, ...REQUESTS]);
    expect(names).toEqual(["v", "count"]);
    expect(cells).toEqual([
      ["b", 3],
      ["a", 2],
      ["c", 1],
    ]);
  });
});

describe("sort", () => {
  test("orders records, missing fields last in either direction", () => {
    expect(run("sort took", REQUESTS).bodies.map((body) => body.slice(5, 7))).toEqual([
      "10",
      "20",
      "30",
      "x",
    ]);
    expect(run("sort user desc, time desc", REQUESTS).bodies).toEqual([
      "took=10 user=bob",
      "took=20 user=ann",
      "took=30 user=ann",
      "took=x",
    ]);
  });

  test("orders by time where no field is named", () => {
    const records = [
      { body: "b", timeUs: 2 },
      { body: "a", timeUs: 1 },
    ];
    expect(run("sort", records).bodies).toEqual(["a", "b"]);
  });

  test("reaches columns of stats under their names", () => {
    const { cells } = run("stats count(), p95(took) by user | sort by p95(took) desc", REQUESTS);
    expect(cells.map(([user]) => user)).toEqual(["ann", "bob", undefined]);
    expect(run("stats count() by user | sort count() desc", REQUESTS).cells[0]).toEqual(["ann", 2]);
  });

  test("in front of a limit gives what sorting everything would", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 700 }),
        (numbers, limit) => {
          const repeated = Array.from({ length: 40 }, () => numbers).flat();
          const records = repeated.map((n, i) => ({ body: `n=${n} i=${i}` }));
          const expected = repeated
            .map((n, i) => ({ n, i }))
            .sort((a, b) => b.n - a.n || a.i - b.i)
            .slice(0, limit)
            .map(({ n, i }) => `n=${n} i=${i}`);
          expect(run(`sort n desc | limit ${limit}`, records).bodies).toEqual(expected);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("p95", () => {
  test("is exact for a thousand values", () => {
    const quantile = new Quantile(new ValueBudget());
    for (let i = 1000; i >= 1; i--) {
      quantile.add(i);
    }
    expect(quantile.read(0.95)).toBe(950);
  });

  test("is within half a percent beyond", () => {
    const values = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.array(values, { minLength: 30, maxLength: 60 }), (some) => {
        const all = Array.from({ length: 40 }, () => some).flat();
        const quantile = new Quantile(new ValueBudget());
        all.forEach((value) => quantile.add(value));
        const exact = all.sort((a, b) => a - b)[Math.ceil(0.95 * all.length) - 1] ?? NaN;
        const off = Math.abs((quantile.read(0.95) ?? NaN) - exact);
        expect(off).toBeLessThanOrEqual(0.005 * Math.abs(exact) + Number.MIN_VALUE);
      }),
    );
  });

  test("refuses to hold more values than its budget", () => {
    const budget = new ValueBudget();
    for (let i = 0; i < PIPELINE_LIMITS.values; i++) {
      budget.take();
    }
    expect(() => new Quantile(budget).add(1)).toThrow("1000000 values");
  });
});

describe("a time bucket", () => {
  test.each([
    [300_000, 299_999_999, 0],
    [300_000, 300_000_000, 300_000_000],
    [300_000, -1, -300_000_000],
    [86_400_000, 86_399_999_999, 0],
  ])("of %i ms holds %i us from %i us", (bucketMs, timeUs, startUs) => {
    expect(compileTimeBucket(bucketMs, "utc")(timeUs)).toBe(startUs);
  });

  describe("of local days", () => {
    const originalZone = process.env["TZ"];
    beforeAll(() => {
      process.env["TZ"] = "Europe/Berlin";
    });
    afterAll(() => {
      if (originalZone === undefined) {
        delete process.env["TZ"];
      } else {
        process.env["TZ"] = originalZone;
      }
    });

    test("begins at midnight also when clocks change", () => {
      expect(new Date(2026, 2, 30).getTime() - new Date(2026, 2, 29).getTime()).toBe(
        23 * 3_600_000,
      );
      const bucket = compileTimeBucket(86_400_000, "local");
      for (let day = 0; day < 400; day++) {
        const start = new Date(2026, 0, 1 + day);
        const end = new Date(2026, 0, 2 + day);
        expect(bucket(start.getTime() * 1000)).toBe(start.getTime() * 1000);
        expect(bucket(end.getTime() * 1000 - 1)).toBe(start.getTime() * 1000);
      }
    });
  });
});
