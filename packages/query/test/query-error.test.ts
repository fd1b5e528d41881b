import { describe, expect, test } from "vitest";
import { parseQuery } from "../src/parser.ts";
import { renderQueryError } from "../src/query-error.ts";

function rendered(query: string): string {
  const parsed = parseQuery(query);
  return parsed.ok ? "no error" : renderQueryError(query, parsed.error);
}

describe("an error in a query", () => {
  test.each([
    ['a "b c', 3, 4, "the quote is not closed"],
    ['a ""', 3, 2, "the phrase is empty"],
    ["a (b", 3, 1, "this parenthesis is not closed"],
    ["a (", 3, 1, "this parenthesis is not closed"],
    ["a b)", 4, 1, "this parenthesis was never opened"],
    [")", 1, 1, "this parenthesis was never opened"],
    ["a ( )", 3, 3, "the parentheses are empty"],
    ["a or", 3, 2, "or has nothing after it"],
    ["(a or) b", 4, 2, "or has nothing after it"],
    ["or a", 1, 2, "or has nothing before it"],
    ["a or or b", 6, 2, "or has nothing before it"],
    ["a and", 3, 3, "and has nothing after it"],
    ["a not", 3, 3, "not has nothing after it"],
    ["a or | limit 1", 3, 2, "or has nothing after it"],
    ["a - b", 3, 1, "- has nothing to exclude"],
    ["--verbose", 1, 9, "-- excludes twice"],
    ["!a", 1, 1, "! is not an operator"],
    ["'a b'", 1, 2, "a phrase stands in double quotes"],
    ["a*b", 1, 3, "* stands at the start or the end of a text, once"],
    ["**", 1, 2, "* stands at the start or the end of a text, once"],
    ["main(args)", 5, 1, "a ( directly behind a term"],
    ['tag="View Lock"', 5, 1, 'a " inside a term'],
    ["status>=500", 1, 11, "a comparison needs a colon after the field"],
    ["status:>=", 8, 2, "no number stands behind >="],
    ["status:>= 500", 8, 2, "no number stands behind >="],
    ["status:>5xx", 9, 3, "> compares with a number, and 5xx is not one"],
    ["status:!=500", 8, 2, "!= is not an operator"],
    ["host:>5", 6, 1, "host is a name and cannot be compared"],
    ["error: x", 1, 6, "the field error has no value"],
    ["level:wran", 7, 4, "level:wran names no level"],
    ["level:>=", 7, 2, "level:>= names no level"],
    ["a /b", 3, 2, "the regular expression is not closed"],
    ["/(/", 1, 3, "the regular expression is invalid: unterminated group"],
    ["/a/gi", 4, 2, "only the flag i may stand behind a regular expression, not gi"],
    [
      "/var/log/syslog",
      6,
      10,
      "only the flag i may stand behind a regular expression, not log/syslog",
    ],
    ["//", 1, 2, "the regular expression is empty"],
    ["a\ud800", 2, 1, "the query holds half of a character"],
    ["a |", 3, 1, "no stage stands behind this |"],
    ["a | | limit 5", 3, 1, "no stage stands behind this |"],
    ["a | patterns", 5, 8, "patterns is not a stage"],
    ["a | limit", 10, 1, "a whole number from 1 to 1000000 is expected"],
    ["a | limit 0", 11, 1, "a whole number from 1 to 1000000 is expected, not 0"],
    ["a | limit 5 6", 13, 1, "6 is not expected here"],
    ["a | top host", 9, 4, "a whole number from 1 to 1000000 is expected, not host"],
    ["a | top 5", 10, 1, "a field is missing"],
    ["a | stats", 10, 1, "a function is missing"],
    ["a | stats sum(x)", 11, 3, "sum is not a function of stats"],
    ["a | stats count(x)", 17, 1, "count() takes no field"],
    ["a | stats min(x", 16, 1, "this parenthesis is not closed"],
    ["a | stats count() by 5q", 22, 2, "5q is not a length of time"],
    ["a | stats count() by 0s", 22, 2, "0s is not a length of time"],
    ["a | stats count() by count", 22, 5, "two columns would be called count"],
    ["a | stats count() by 5m, 1h", 26, 2, "two columns would be called time"],
    ["a | stats count() by host | sort took", 34, 4, "no column is called took here"],
    ["a | fields host | stats count() by 5m", 36, 2, "no column is called time here"],
    ["a | fields a, a", 15, 1, "two columns would be called a"],
    ['a | fields "x"', 12, 1, '" has no meaning behind a pipe'],
  ])("in %j is at column %i, length %i: %s", (query, column, length, message) => {
    const parsed = parseQuery(query);
    expect(parsed).toMatchObject({ ok: false, error: { column, length, message } });
  });

  test("shows the place and what to do", () => {
    expect(rendered("timeout status:>=abc -x")).toBe(
      [
        "timeout status:>=abc -x",
        "                 ^^^",
        ">= compares with a number, and abc is not one",
        "write status:>=500; a text is matched by status:text or status:te*",
      ].join("\n"),
    );
  });

  test("shows only the line that is meant, under its own tabs", () => {
    expect(rendered("a\n\t\u{1f600} !b").split("\n").slice(0, 2)).toEqual([
      "\t\u{1f600} !b",
      "\t  ^",
    ]);
  });

  test("shows the place behind the text where something is missing there", () => {
    expect(rendered("a | limit").split("\n").slice(0, 2)).toEqual(["a | limit", "         ^"]);
  });

  test("keeps control characters away from the terminal", () => {
    expect(rendered("\u001b[31m\u009b !b").split("\n")[0]).toBe("\ufffd[31m\ufffd !b");
  });
});
