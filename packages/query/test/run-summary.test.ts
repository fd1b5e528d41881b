import type { RecordColumns } from "@sluice/protocol";
import { SEVERITY_MAX } from "@sluice/quantity";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Query } from "../src/ast.ts";
import type { Cell } from "../src/cell.ts";
import { compileFilter } from "../src/evaluate.ts";
import { parseQuery } from "../src/parser.ts";
import { createPipeline } from "../src/pipeline.ts";
import type { Pipeline } from "../src/pipeline.ts";
import { PIPELINE_LIMITS } from "../src/pipeline-error.ts";
import type { StreamIdentity } from "../src/record-field.ts";
import { metadataStats } from "../src/run-summary.ts";
import type { RunSummary } from "../src/run-summary.ts";
import { ALL_SEVERITIES } from "../src/severity-mask.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import { filterOf, filters, terms } from "./filters.ts";

interface Run {
  readonly stream: StreamIdentity;
  readonly columns: RecordColumns;
  readonly countsKnown: boolean;
}

function queryOf(text: string): Query {
  const parsed = parseQuery(text);
  if (!parsed.ok) {
    throw new Error(parsed.error.message);
  }
  return parsed.value;
}

function summarize({ stream, columns, countsKnown }: Run): RunSummary {
  const severityCounts = new Uint32Array(SEVERITY_MAX + 1);
  let severities = 0;
  for (const severity of columns.severities) {
    severityCounts[severity]! += 1;
    severities |= 1 << severity;
  }
  return {
    stream,
    count: columns.count,
    minTimeUs: Math.min(...columns.timesUs),
    maxTimeUs: Math.max(...columns.timesUs),
    severities,
    severityCounts: countsKnown ? severityCounts : undefined,
  };
}

function answer(query: Query, runs: readonly Run[], whole: boolean) {
  const filter = compileFilter(query.filter);
  const rows: (readonly Cell[])[] = [];
  const pipeline: Pipeline = createPipeline(query.stages, {
    emit: (row) => rows.push(row.kind === "table" ? row.cells : []),
  });
  let needed = 0;
  for (const run of runs) {
    const { stream, columns } = run;
    const state = whole
      ? pipeline.pushRun(summarize(run), filter.severitiesOf(stream))
      : "needs records";
    if (state === "needs records") {
      needed++;
      for (let index = 0; index < columns.count; index++) {
        if (filter.matches(stream, columns, index)) {
          pipeline.push(stream, columns, index);
        }
      }
    }
  }
  expect(pipeline.finish()).toEqual({ ok: true, value: undefined });
  return { rows, needed };
}

const runs: fc.Arbitrary<readonly Run[]> = fc.array(
  fc.record({
    stream: fc.constantFrom("web-1", "web-2", "db-1").map((host) => ({ ...STREAM, host })),
    columns: fc
      .array(
        fc.record({
          body: fc.constantFrom("a", "b"),
          timeUs: fc.nat(9).map((minute) => minute * 60e6),
          severity: fc.constantFrom(0, 9, 13, 14, 17, 24),
        }),
        { minLength: 1, maxLength: 4 },
      )
      .map(columnsOf),
    countsKnown: fc.boolean(),
  }),
  { maxLength: 8 },
);

describe("metadataStats", () => {
  test.each<[string, ReturnType<typeof metadataStats>]>([
    ["* | stats count()", { byStream: false, bySeverity: false, bucketMs: undefined }],
    ["* | stats count() by host, 5m", { byStream: true, bySeverity: false, bucketMs: 300_000 }],
    ["host:a | stats count() by level", { byStream: true, bySeverity: true, bucketMs: undefined }],
    ["level:warn | stats count()", { byStream: false, bySeverity: true, bucketMs: undefined }],
    ["* | top 5 source | limit 2", { byStream: true, bySeverity: false, bucketMs: undefined }],
    [
      "-host:a | stats max(time), uniq(host)",
      { byStream: true, bySeverity: false, bucketMs: undefined },
    ],
    ["*", undefined],
    ["* | fields host | stats count() by host", undefined],
    ["* | limit 5 | stats count()", undefined],
    ["* | stats count() by unit", undefined],
    ["* | stats avg(severity)", undefined],
    ["* | stats uniq(time)", undefined],
    ["a | stats count()", undefined],
    ["host:a or /b/ | stats count()", undefined],
    ["env:prod | stats count()", undefined],
  ])("of %s is %j", (query, expected) => {
    expect(metadataStats(queryOf(query))).toEqual(expected);
  });
});

describe("pushRun", () => {
  const queries = fc
    .tuple(
      fc.constantFrom("*", "host:web-*", "level:>=warn", "-level:unknown host:db-1", "a", "a or *"),
      fc.constantFrom(
        "stats count()",
        "stats count() by host, level",
        "stats count() by severity, 2m",
        "stats count(), uniq(level) by 3m",
        "stats min(time), max(time), count() by host",
        "stats max(time), min(severity) by level",
        "top 2 level",
        "stats count() by body",
        "limit 3 | stats count() by host",
      ),
    )
    .map(([filter, stages]) => queryOf(`${filter} | ${stages}`));

  test("gives what the records give", () => {
    fc.assert(
      fc.property(queries, runs, (query, all) => {
        expect(answer(query, all, true).rows).toEqual(answer(query, all, false).rows);
      }),
      { numRuns: 2000 },
    );
  });

  test.each<[string, boolean, number]>([
    ["* | stats count()", false, 0],
    ["* | stats count() by host, 1h", false, 0],
    ["* | stats count() by 1m", true, 1],
    ["* | stats count() by level", true, 0],
    ["* | stats count() by level", false, 1],
    ["level:warn | stats count()", true, 0],
    ["level:warn | stats count()", false, 1],
    ["level:error | stats count()", false, 0],
    ["* | stats max(time)", true, 0],
    ["* | stats max(time) by level", true, 1],
    ["host:db-* or a | stats count()", true, 1],
    ["host:web-* or a | stats count()", true, 0],
  ])("answers %s from a run (counts by severity: %s), but for %i", (text, countsKnown, needed) => {
    const columns = columnsOf([
      { body: "a", timeUs: 0, severity: 13 },
      { body: "a", timeUs: 60e6, severity: 9 },
    ]);
    expect(answer(queryOf(text), [{ stream: STREAM, columns, countsKnown }], true).needed).toBe(
      needed,
    );
  });

  test("gives up with a reason when there are too many groups", () => {
    const { stages, filter } = queryOf("* | stats count() by host");
    const pipeline = createPipeline(stages, { emit: () => {} });
    const columns = columnsOf([{ body: "" }]);
    const push = (host: string) =>
      pipeline.pushRun(
        summarize({ stream: { ...STREAM, host }, columns, countsKnown: false }),
        compileFilter(filter).severitiesOf(),
      );
    for (let i = 0; i < PIPELINE_LIMITS.groups; i++) {
      push(String(i));
    }
    expect(push("0")).toBe("more");
    expect(push("another")).toBe("failed");
    expect(push("0")).toBe("failed");
    expect(pipeline.finish()).toMatchObject({ ok: false, error: { code: "too_many_groups" } });
  });
});

describe("severities that may and must match", () => {
  test.each<[string, readonly number[], readonly number[]]>([
    ["level:warn", [13, 14, 15, 16], [13, 14, 15, 16]],
    ["level:warn a", [13, 14, 15, 16], []],
    ["level:>=fatal or level:unknown", [0, 21, 22, 23, 24], [0, 21, 22, 23, 24]],
    ["level:warn level:error", [], []],
    ["host:web-1 level:unknown", [0], [0]],
    ["host:db-1 level:unknown", [], []],
    ["-(level:>=trace a)", Array.from({ length: 25 }, (_, i) => i), [0]],
  ])("of %s are %j and %j", (query, may, must) => {
    const bits = (severities: readonly number[]) =>
      severities.reduce((mask, severity) => mask | (1 << severity), 0);
    expect(compileFilter(filterOf(query)).severitiesOf(STREAM)).toEqual({
      may: bits(may),
      must: bits(must),
    });
  });

  test("agree with every record", () => {
    const records = fc.record({
      body: fc.constantFrom("a", "b status=500"),
      severity: fc.nat(SEVERITY_MAX),
    });
    fc.assert(
      fc.property(filters(terms), records, (filter, record) => {
        const compiled = compileFilter(filter);
        const matches = compiled.matches(STREAM, columnsOf([record]), 0);
        for (const { may, must } of [compiled.severitiesOf(STREAM), compiled.severitiesOf()]) {
          const bit = 1 << record.severity;
          expect(must & ~may).toBe(0);
          expect(may & ~ALL_SEVERITIES).toBe(0);
          expect((must & bit) !== 0 && !matches).toBe(false);
          expect((may & bit) === 0 && matches).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
