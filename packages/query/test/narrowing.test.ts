import { SEVERITY_MAX } from "@sluice/quantity";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileFilter } from "../src/evaluate.ts";
import { compileNarrowing } from "../src/narrowing.ts";
import { printFilter } from "../src/printer.ts";
import { ALL_SEVERITIES } from "../src/severity-mask.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import { filterOf, filters, terms } from "./filters.ts";

const WARN_AND_ERROR = (1 << 13) | (1 << 17);

describe("a filter for records of one stream and some severities", () => {
  test.each<[string, number, string]>([
    ["host:web-* timeout", ALL_SEVERITIES, "timeout"],
    ["host:db-* timeout", ALL_SEVERITIES, "-*"],
    ["host:db-* or timeout", ALL_SEVERITIES, "timeout"],
    ["host:web-* or timeout", ALL_SEVERITIES, "*"],
    ["level:>=warn timeout", WARN_AND_ERROR, "timeout"],
    ["level:warn timeout", WARN_AND_ERROR, "level:warn timeout"],
    ["-level:info (timeout or level:fatal)", WARN_AND_ERROR, "timeout"],
    ["-(host:web-* a) b", ALL_SEVERITIES, "-a b"],
    ["unit:nginx a", ALL_SEVERITIES, "unit:nginx a"],
    ["*", 1, "*"],
  ])("%s is, of severities %i, %s", (query, severities, left) => {
    const narrow = compileNarrowing(filterOf(query))(STREAM, severities);
    expect(printFilter(narrow.filter)).toBe(left);
  });

  test("can say of a place that it is a match where the whole filter could not", () => {
    const filter = filterOf("host:web-* level:warn timeout");
    expect(compileFilter(filter).proposal?.matchesAt).toBeUndefined();
    expect(compileNarrowing(filter)(STREAM, 1 << 13).proposal?.matchesAt).toBeDefined();
  });

  test("is compiled once for runs that are decided alike", () => {
    const narrow = compileNarrowing(filterOf("host:web-* level:>=warn timeout"));
    const first = narrow(STREAM, 1 << 13);
    expect(narrow({ ...STREAM, host: "web-2" }, 1 << 17)).toBe(first);
    expect(narrow({ ...STREAM, host: "db-1" }, 1 << 17)).not.toBe(first);
    expect(narrow(STREAM, ALL_SEVERITIES)).not.toBe(first);
  });

  test("says the same of each record as the whole one", () => {
    const records = fc.array(
      fc.record({
        body: fc.constantFrom("a", "b status=500", "took 12345ms"),
        severity: fc.nat(SEVERITY_MAX),
      }),
      { minLength: 1, maxLength: 4 },
    );
    const streams = fc.constantFrom(STREAM, { ...STREAM, host: "a" });
    fc.assert(
      fc.property(filters(terms), streams, records, (filter, stream, some) => {
        const columns = columnsOf(some);
        const severities = some.reduce((mask, { severity }) => mask | (1 << severity), 0);
        const whole = compileFilter(filter);
        const narrow = compileNarrowing(filter)(stream, severities);
        for (let index = 0; index < columns.count; index++) {
          expect(narrow.matches(stream, columns, index)).toBe(
            whole.matches(stream, columns, index),
          );
        }
      }),
      { numRuns: 2000 },
    );
  });
});
