import { describe, expect, test } from "vitest";

import { planQuery, type QueryOptions } from "../src/query/query-plan.ts";

const NOW_US = Date.UTC(2026, 10, 24, 8) * 1000;

function plan(filter: string, options: QueryOptions = {}, isTerminal = false) {
  return planQuery(filter, options, { isTerminal, nowUs: NOW_US, defaultLines: 100 });
}

describe("how many rows, and which way round", () => {
  test.each([
    ["in a pipe all, oldest first", {}, false, undefined, false, false],
    ["on a terminal the newest 100, turned", {}, true, 100, true, true],
    ["--all on a terminal, oldest first", { all: true }, true, undefined, false, false],
    ["-n 5, turned", { lines: "5" }, false, 5, true, true],
    ["-n 5 --reverse, newest first", { lines: "5", reverse: true }, false, 5, true, false],
    ["--reverse in a pipe", { reverse: true }, false, undefined, true, false],
  ])("%s", (_, options, isTerminal, limit, reverse, isTurned) => {
    const { request, isTurned: turned } = plan("x", options, isTerminal);
    expect({ limit: request.limit, reverse: request.reverse, turned }).toEqual({
      limit,
      reverse,
      turned: isTurned,
    });
  });

  test("a stage that counts gets every record, and -n cuts its rows", () => {
    const { request, printed, isTurned } = plan("* | stats count() by host", { lines: "3" }, true);
    expect({ limit: request.limit, printed, isTurned }).toEqual({
      limit: undefined,
      printed: 3,
      isTurned: false,
    });
  });
});

test("--since and --until are read in UTC where --utc asks for it", () => {
  const { request } = plan("x", { since: "1h", until: "07:30", utc: true });
  expect(request.fromUs).toBe(NOW_US - 3_600_000_000);
  expect(request.untilUs).toBe(Date.UTC(2026, 10, 24, 7, 30) * 1000);
});

describe("columns", () => {
  test("of a record are picked on this side", () => {
    expect(plan("x", { fields: "time, id" })).toMatchObject({
      request: { query: "x" },
      fields: ["time", "id"],
      isTable: false,
    });
  });

  test("that are fields of the body are looked up by a stage", () => {
    expect(plan("", { fields: "host,status" })).toMatchObject({
      request: { query: "* | fields host, status" },
      isTable: true,
    });
  });
});

describe("raw", () => {
  test("in a pipe asks for the bodies as they lie", () => {
    expect(plan("x", { output: "raw" }).request.render).toBe("bodies");
  });

  test.each([
    ["on a terminal, which must not get controls", {}, true],
    ["turned, which needs to know where each begins", { lines: "5" }, false],
  ])("asks for rows %s", (_, options, isTerminal) => {
    expect(plan("x", { output: "raw", ...options }, isTerminal).request.render).toBeUndefined();
  });
});

test.each([
  ["*", {}, "* | stats count()"],
  ["", {}, "* | stats count()"],
  ["a b", { lines: "9" }, "a b | limit 9 | stats count()"],
])("--count of %j is counted by a stage", (filter, options, expected) => {
  expect(plan(filter, { count: true, ...options }).request).toMatchObject({
    query: expected,
    limit: undefined,
  });
});

test.each([
  ["a query that does not parse", "(a", {}, "  (a\n  ^\n"],
  ["a time that is none", "a", { since: "soon" }, "--since soon"],
  ["a range that is empty", "a", { since: "1h", until: "2h" }, "--since is not before --until"],
  ["a number that is none", "a", { lines: "many" }, "-n"],
  ["an empty column", "a", { fields: "host,," }, "--fields"],
  ["columns of two kinds", "a", { fields: "id,status" }, "id cannot stand beside"],
  ["raw without bodies", "* | stats count()", { output: "raw" }, "-o raw"],
  ["no time at all", "a", { timeout: "0s" }, "--timeout"],
] as const)("%s is a wrong call", (_, filter, options, message) => {
  expect(() => plan(filter, options)).toThrow(message);
});
