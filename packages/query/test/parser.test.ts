import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Filter, TextPattern } from "../src/ast.ts";
import { MAX_QUERY_DEPTH, MAX_QUERY_LENGTH, parseQuery } from "../src/parser.ts";
import { printFilter } from "../src/printer.ts";
import { filterOf, filters, terms } from "./filters.ts";

function text(content: string, sides: Partial<TextPattern> = {}): Filter {
  return { kind: "text", pattern: { text: content, wholeStart: true, wholeEnd: true, ...sides } };
}

function glob(name: string, pattern: string): Filter {
  return { kind: "field", name, test: { kind: "glob", pattern } };
}

const OPEN_END = { wholeEnd: false };
const OPEN = { wholeStart: false, wholeEnd: false };

describe("parseQuery", () => {
  test.each<[string, Filter]>([
    ["", { kind: "all" }],
    ["  ", { kind: "all" }],
    ["*", { kind: "all" }],
    ["timeout", text("timeout")],
    ['"timeout"', text("timeout")],
    ["time*", text("time", OPEN_END)],
    ["*meout", text("meout", { wholeStart: false })],
    ["*imeou*", text("imeou", OPEN)],
    ['"connection refused"', text("connection refused")],
    ['*"refused by"*', text("refused by", OPEN)],
    ['"refused b"*', text("refused b", OPEN_END)],
    ['"a\\"b\\\\c\\d"', text('a"b\\c\\d')],
    ["Größe", text("Größe")],
    ["10.0.0.1:8080", text("10.0.0.1:8080")],
    ["12:34:56", text("12:34:56")],
    ["http://example.com/x", text("http://example.com/x")],
    ["C:\\Windows", text("C:\\Windows")],
    ["Foo::Bar", text("Foo::Bar")],
    ["sshd[123]:", text("sshd[123]:")],
    ["uid=0", text("uid=0")],
    ["can't", text("can't")],
    ["blk_-69", text("blk_-69")],
    ['"or"', text("or")],
    ["/took \\d{4,}ms/", { kind: "regex", source: "took \\d{4,}ms", ignoreCase: false }],
    ["/a[/]b\\/c/i", { kind: "regex", source: "a[/]b\\/c", ignoreCase: true }],
    ["host:web-*", glob("host", "web-*")],
    ["source:/var/log/*", glob("source", "/var/log/*")],
    ["unit:nginx.service", glob("unit", "nginx.service")],
    ["user.id:42", glob("user.id", "42")],
    ["time:12:30", glob("time", "12:30")],
    ["level:>=warn", { kind: "level", text: ">=warn", min: 13, max: 24 }],
    ["level:WARNING", { kind: "level", text: "warning", min: 13, max: 16 }],
    ['level:"unknown"', { kind: "level", text: "unknown", min: 0, max: 0 }],
    [
      "status:>=500",
      { kind: "field", name: "status", test: { kind: "compare", operator: ">=", number: "500" } },
    ],
    [
      "offset:<-1.5e3",
      { kind: "field", name: "offset", test: { kind: "compare", operator: "<", number: "-1.5e3" } },
    ],
    [
      'msg:"a b"*',
      {
        kind: "field",
        name: "msg",
        test: { kind: "text", pattern: { text: "a b", wholeStart: true, wholeEnd: false } },
      },
    ],
    ["a b", { kind: "and", parts: [text("a"), text("b")] }],
    ["a and b AND c", { kind: "and", parts: [text("a"), text("b"), text("c")] }],
    ["(a b) c", { kind: "and", parts: [text("a"), text("b"), text("c")] }],
    [
      "a b or c",
      { kind: "or", parts: [{ kind: "and", parts: [text("a"), text("b")] }, text("c")] },
    ],
    [
      "a (b OR c)",
      { kind: "and", parts: [text("a"), { kind: "or", parts: [text("b"), text("c")] }] },
    ],
    [
      "a -b not c",
      {
        kind: "and",
        parts: [text("a"), { kind: "not", part: text("b") }, { kind: "not", part: text("c") }],
      },
    ],
    ["-(a b)", { kind: "not", part: { kind: "and", parts: [text("a"), text("b")] } }],
    ["not not a", { kind: "not", part: { kind: "not", part: text("a") } }],
    ["-host:a or b", { kind: "or", parts: [{ kind: "not", part: glob("host", "a") }, text("b")] }],
  ])("reads %s", (query, filter) => {
    expect(parseQuery(query)).toEqual({ ok: true, value: { filter, stages: [] } });
  });

  test("reads back every filter that is printed", () => {
    fc.assert(
      fc.property(filters(terms), (filter) => {
        expect(filterOf(printFilter(filter))).toEqual(filter);
      }),
      { numRuns: 500 },
    );
  });

  test("gives a query or an error in place for any text", () => {
    const pieces = fc.constantFrom(
      ...'() | / " * - or not and host: level: > = warn 5m stats count() by , top limit \\ é'.split(
        " ",
      ),
      " ",
      "\n",
    );
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(texts, (query) => {
        const parsed = parseQuery(query);
        if (parsed.ok) {
          expect(filterOf(printFilter(parsed.value.filter))).toEqual(parsed.value.filter);
        } else {
          const { column, length, message } = parsed.error;
          expect(message).not.toBe("");
          expect(column).toBeGreaterThanOrEqual(1);
          expect(length).toBeGreaterThanOrEqual(1);
          expect(column - 1 + length).toBeLessThanOrEqual(query.length + 1);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("refuses what is longer or deeper than any query that is meant", () => {
    expect(parseQuery("a ".repeat(MAX_QUERY_LENGTH / 2)).ok).toBe(true);
    expect(parseQuery("a ".repeat(MAX_QUERY_LENGTH)).ok).toBe(false);
    const nested = (depth: number): string => `${"(".repeat(depth)}a${")".repeat(depth)}`;
    expect(parseQuery(nested(MAX_QUERY_DEPTH)).ok).toBe(true);
    expect(parseQuery(nested(MAX_QUERY_DEPTH + 1)).ok).toBe(false);
    expect(parseQuery(`${"not ".repeat(MAX_QUERY_DEPTH + 1)}a`).ok).toBe(false);
  });
});
