import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileFilter } from "../src/evaluate.ts";
import { printFilter } from "../src/printer.ts";
import { suggestFilters } from "../src/suggestion.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import { filterOf, filters, terms } from "./filters.ts";

describe("suggestFilters", () => {
  test.each<[string, readonly string[]]>([
    ["timeou", ["*timeou*"]],
    ["time*", ["*time*"]],
    ["*imeou*", []],
    ['"refused connection"', ['*"refused connection"*', "refused connection"]],
    ["/error/", ["/error/i"]],
    ["/error/i", []],
    ["host:web", ["host:*web*"]],
    ["dead:beef", ["dead:*beef*", '*"dead:beef"*']],
    ["status:>=500", ["status:*"]],
    ['msg:"refuse"', ['msg:*"refuse"*']],
    ["level:error a", ["level:error *a*", "a", "level:error"]],
    ["-a b", ["-a *b*", "b", "-a"]],
    ["a or b", []],
    ["*", []],
  ])("for %s tries %j", (query, tried) => {
    expect(suggestFilters(filterOf(query)).map(({ filter }) => printFilter(filter))).toEqual(tried);
  });

  test("says what is missing and what matches instead", () => {
    expect(suggestFilters(filterOf("timeou level:warn")).map(({ sentence }) => sentence)).toEqual([
      "no whole word `timeou`; `*timeou*` matches",
      "nothing with `timeou`; `level:warn` matches",
      "nothing with `level:warn`; `timeou` matches",
    ]);
  });

  test("gives filters that can be typed", () => {
    fc.assert(
      fc.property(filters(terms), (filter) => {
        for (const { filter: weaker } of suggestFilters(filter)) {
          expect(filterOf(printFilter(weaker))).toEqual(weaker);
        }
      }),
    );
  });

  test("never loses a record by leaving terms out or opening the sides of a text", () => {
    const columns = columnsOf([
      { body: "timeout x", severity: 13 },
      { body: "connection refused", attributes: { status: "503" } },
    ]);
    const queries = ["timeout level:warn", '"connection refused" status:>=500', "time* x"];
    for (const query of queries) {
      const filter = filterOf(query);
      for (const index of [0, 1].filter((i) => compileFilter(filter).matches(STREAM, columns, i))) {
        for (const { filter: weaker } of suggestFilters(filter)) {
          expect(compileFilter(weaker).matches(STREAM, columns, index)).toBe(true);
        }
      }
    }
  });
});
