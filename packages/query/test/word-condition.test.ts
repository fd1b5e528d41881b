import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Term } from "../src/ast.ts";
import { compileFilter } from "../src/evaluate.ts";
import { requiredWords, requiredWordSets } from "../src/word-condition.ts";
import type { WordCondition } from "../src/word-condition.ts";
import { lowerAscii } from "../src/word.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import { filterOf, filters, patterns } from "./filters.ts";

/** A short way to write a condition. */
type Written = true | string | { all: readonly Written[] } | { any: readonly Written[] };

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
    default:
      return condition satisfies never;
  }
}

function holds(condition: WordCondition, words: ReadonlySet<string>): boolean {
  switch (condition.kind) {
    case "true":
      return true;
    case "word":
      return words.has(Buffer.from(condition.word).toString("latin1"));
    case "all":
      return condition.of.every((part) => holds(part, words));
    case "any":
      return condition.of.some((part) => holds(part, words));
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
    ["a or status:500", true],
    ["a status:500 level:warn", "a"],
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
      { numRuns: 6000 },
    );
    expect(matches).toBeGreaterThan(500);
  });
});
