import type { Attributes } from "@sluice/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FieldTest, Filter, Term } from "../src/ast.ts";
import { compileFilter } from "../src/evaluate.ts";
import { hidesWords } from "../src/field-text.ts";
import { scanBlock } from "../src/scan.ts";
import { requiredWords, requiredWordSets } from "../src/word-condition.ts";
import type { WordCondition } from "../src/word-condition.ts";
import { lowerAscii } from "../src/word.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import { filterOf, filters, patterns } from "./filters.ts";

/** A short way to write a condition. */
type Written =
  | true
  | string
  | { all: readonly Written[] }
  | { any: readonly Written[] }
  | { field: string; of: Written }
  | { plainField: string; of: Written };

function write(condition: WordCondition): Written {
  switch (condition.kind) {
    case "true":
      return true;
    case "word":
      return condition.word;
    case "all":
      return { all: condition.of.map(write) };
    case "any":
      return { any: condition.of.map(write) };
    case "field":
      return {
        [condition.isPlain ? "plainField" : "field"]: condition.name,
        of: write(condition.of),
      } as Written;
    default:
      return condition satisfies never;
  }
}

function holds(
  condition: WordCondition,
  words: ReadonlySet<string>,
  { attributes = {}, isPlain = true }: { attributes?: Attributes; isPlain?: boolean } = {},
): boolean {
  const inside = (part: WordCondition): boolean => holds(part, words, { attributes, isPlain });
  switch (condition.kind) {
    case "true":
      return true;
    case "word":
      return words.has(Buffer.from(condition.word).toString("latin1"));
    case "all":
      return condition.of.every(inside);
    case "any":
      return condition.of.some(inside);
    case "field":
      return (
        Object.hasOwn(attributes, condition.name) ||
        (condition.isPlain && !isPlain) ||
        inside(condition.of)
      );
    default:
      return condition satisfies never;
  }
}

/** The words of a body as Latin-1, found in another way than by the rules under test. */
function wordsOf(body: Uint8Array): ReadonlySet<string> {
  const latin1 = Buffer.from(body).toString("latin1");
  return new Set(lowerAscii(latin1).split(/[^a-z0-9_\u0080-\u00ff]+/));
}

const pieces = ["a", "A", "b", "ab", "k", "\u212a", "_", " ", "-", "é", "É", "x=1", "."];
const bodies = fc
  .array(
    fc.oneof(
      { arbitrary: fc.constantFrom(...pieces, " ab ").map((s) => [...Buffer.from(s)]), weight: 6 },
      fc.constantFrom([0xff], [0xc3], [0xa9], [0xe2, 0x84], [0xef, 0xbf, 0xbd]),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.from(parts.flat()));
const needles = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(""));
const leaves: fc.Arbitrary<Term> = fc.oneof(
  patterns(needles).map((pattern): Term => ({ kind: "text", pattern })),
  fc.record({
    kind: fc.constant("regex" as const),
    source: fc.constantFrom(
      " ab ",
      " (ab|k|é) ",
      "(^| )a[ -]b( |$)",
      "[ -]ab?-|\\.k\\.",
      " (a|b) (?:ab )?k ",
      "(?= ab ).* (k|a) ",
      " \ufffd ",
    ),
    ignoreCase: fc.boolean(),
  }),
  fc.constantFrom<Term>(
    { kind: "level", text: "info", min: 9, max: 12 },
    { kind: "field", name: "x", test: { kind: "glob", pattern: "1" } },
  ),
);

describe("words that bodies must hold", () => {
  test.each<[string, Written]>([
    ["Timeout", "timeout"],
    ['"Connection refused" timeout', { all: ["connection", "refused", "timeout"] }],
    ["timeout or refused", { any: ["timeout", "refused"] }],
    ["(a b) or (b c)", { any: [{ all: ["a", "b"] }, { all: ["b", "c"] }] }],
    ["a (b or c) -d", { all: ["a", { any: ["b", "c"] }] }],
    ["a or time*", true],
    ["a or -b", true],
    [
      "a or status:500",
      {
        any: [
          "a",
          {
            all: [
              { field: "status", of: "status" },
              { plainField: "status", of: "500" },
            ],
          },
        ],
      },
    ],
    ["a user.id:>500 level:warn", { all: ["a", { field: "user.id", of: "id" }] }],
    ["a host:b source:c", "a"],
    [
      "path:/api/v*/x",
      {
        all: [
          { field: "path", of: "path" },
          { plainField: "path", of: { all: ["api", "x"] } },
        ],
      },
    ],
    [
      'msg:*"d by peer"',
      {
        all: [
          { field: "msg", of: "msg" },
          { plainField: "msg", of: { all: ["by", "peer"] } },
        ],
      },
    ],
    ["k:a\ufffdb", { field: "k", of: "k" }],
    ["/ (timeout|refused) /", { any: ["timeout", "refused"] }],
    ["/timeout|refused/", true],
    [
      "/ (GET|POST) \\/api\\//",
      { all: ["api", { any: [{ all: ["get", "api"] }, { all: ["post", "api"] }] }] },
    ],
    ["10.0.0.1", { all: ["10", "0", "1"] }],
    ["*", true],
  ])("by %s are %j", (query, written) => {
    expect(write(requiredWordSets(filterOf(query)))).toEqual(written);
  });

  test.each<[string, readonly string[]]>([
    ["Timeout", ["timeout"]],
    ['"Connection refused" timeout', ["connection", "refused", "timeout"]],
    ["time*", []],
    ["*time", []],
    ['"foo bar"*', ["foo"]],
    ['*"a foo-baz b"*', ["foo", "baz"]],
    ["10.0.0.1", ["10", "0", "1"]],
    ["größe", ["größe"]],
    ["a or b", []],
    ["(a b) or (b c)", ["b"]],
    ["a -b", ["a"]],
    ["a status:500 level:warn", ["a"]],
    ["/took \\d+ms after retry 7 of/", ["after", "retry", "7"]],
    ["/ (GET|POST) \\/api\\//", ["api"]],
    ["/foo bar baz|x/", []],
  ])("by %s in any case are %j", (query, words) => {
    expect(requiredWords(filterOf(query))).toEqual(words);
  });

  test("are in every body that matches", () => {
    let matches = 0;
    fc.assert(
      fc.property(filters(leaves), bodies, fc.constantFrom(0, 9), (filter, body, severity) => {
        const columns = columnsOf([{ body, severity }]);
        if (compileFilter(filter).matches(STREAM, columns, 0)) {
          matches++;
          const words = wordsOf(body);
          expect(holds(requiredWordSets(filter), words)).toBe(true);
          for (const word of requiredWords(filter)) {
            expect(holds({ kind: "word", word }, words)).toBe(true);
          }
        }
      }),
      { numRuns: 3000 },
    );
    expect(matches).toBeGreaterThan(500);
  });

  test("are in every body that has the field, where no escape hides them", () => {
    const parts = [
      "a",
      "b1",
      "Req",
      "é",
      " ",
      "-",
      "/",
      ",",
      "5",
      ".",
      "\n",
      '"',
      "\\",
      "<",
      "\u0001",
      "\ufffd",
    ];
    const values = fc
      .array(fc.constantFrom(...parts), { minLength: 1, maxLength: 5 })
      .map((some) => some.join(""));
    const names = fc.constantFrom("id", "user.id", "größe", "a-b");
    const escaped = (value: string, style: number): string =>
      style === 0
        ? JSON.stringify(value)
        : style === 1
          ? JSON.stringify(value).replaceAll("/", "\\/").replaceAll("<", "\\u003c")
          : style === 2
            ? JSON.stringify(value).replaceAll("a", "\\u0061")
            : `"${value.replaceAll(/[-5"\\]/g, "\\$&")}"`;
    const bodyOf = (name: string, value: string, style: number): string => {
      if (style >= 3) {
        return style === 3 ? `x (${name}=${escaped(value, 3)})` : `x ${name}=${value}`;
      }
      const [outer, inner] = name.split(".");
      const text = escaped(value, style);
      return inner === undefined || style === 0
        ? `{"z":1,"${name}":${text}}`
        : `{"${outer}":{"${inner}":${text}}}`;
    };
    const testsOf = (value: string, open: boolean): readonly FieldTest[] => [
      { kind: "glob", pattern: value },
      { kind: "glob", pattern: `${value.slice(0, 2)}*` },
      { kind: "glob", pattern: `*${value.slice(1)}` },
      { kind: "text", pattern: { text: value, wholeStart: true, wholeEnd: true } },
      { kind: "text", pattern: { text: value.slice(-3), wholeStart: open, wholeEnd: !open } },
    ];
    let matches = 0;
    let plain = 0;
    fc.assert(
      fc.property(names, values, fc.nat(4), fc.nat(4), fc.boolean(), (name, value, ...rest) => {
        const [style, which, flag] = rest;
        const body = bodyOf(name, value, style);
        const attributes = flag && which === 0 ? { [name]: value } : undefined;
        const filter: Filter = { kind: "field", name, test: testsOf(value, flag)[which]! };
        const columns = columnsOf([{ body, ...(attributes !== undefined && { attributes }) }]);
        const compiled = compileFilter(filter);
        const isMatch = compiled.matches(STREAM, columns, 0);
        expect(scanBlock(compiled, STREAM, columns)).toEqual(isMatch ? [0] : []);
        if (isMatch) {
          const isPlain = !hidesWords(columns.bodies);
          matches++;
          plain += isPlain ? 1 : 0;
          const known = { isPlain, ...(attributes !== undefined && { attributes }) };
          expect(holds(requiredWordSets(filter), wordsOf(columns.bodies), known)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
    expect(matches).toBeGreaterThan(500);
    expect(plain).toBeGreaterThan(200);
  });
});

describe("an escape that may hide words", () => {
  test.each<[string | Uint8Array, boolean]>([
    ["plain text", false],
    ['{"a":"b\\"c\\/d"}', false],
    ['{"a":"b\\nc"}', true],
    ["C:\\new", true],
    ["a\\", false],
    ["a\\\n", false],
    ["a\\\u0001", true],
    [Buffer.from([0x5c, 0xff]), true],
    ["a\\-b", true],
    ["a\\\\n", false],
    ["\\\\\\n", true],
    ['\\\\\\"', false],
  ])("is in %j: %s", (body, hides) => {
    expect(hidesWords(Buffer.from(body as string))).toBe(hides);
  });
});
