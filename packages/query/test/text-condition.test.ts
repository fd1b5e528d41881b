import { createContext, Script } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { regexCondition } from "../src/text-condition.ts";
import type { TextCondition } from "../src/text-condition.ts";
import { decodeUtf8 } from "../src/utf8.ts";
import { lowerAscii } from "../src/word.ts";

/** A short way to write a condition: texts in any case behind a tilde. */
type Written = true | string | { all: readonly Written[] } | { any: readonly Written[] };

function write(condition: TextCondition): Written {
  switch (condition.kind) {
    case "true":
      return true;
    case "text":
      return `${condition.anyCase ? "~" : ""}${condition.text}`;
    case "all":
      return { all: condition.of.map(write) };
    case "any":
      return { any: condition.of.map(write) };
    default:
      return condition satisfies never;
  }
}

function holds(condition: TextCondition, latin1: string): boolean {
  switch (condition.kind) {
    case "true":
      return true;
    case "text": {
      const needle = Buffer.from(condition.text).toString("latin1");
      return condition.anyCase
        ? lowerAscii(latin1).includes(lowerAscii(needle))
        : latin1.includes(needle);
    }
    case "all":
      return condition.of.every((part) => holds(part, latin1));
    case "any":
      return condition.of.some((part) => holds(part, latin1));
    default:
      return condition satisfies never;
  }
}

describe("texts that every match of a regular expression holds", () => {
  test.each<[string, Written]>([
    ["timeout", "timeout"],
    ["took \\d{4,}ms", { all: ["took ", "ms"] }],
    ["^a b$", "a b"],
    ["timeout|refused|denied", { any: ["timeout", "refused", "denied"] }],
    [
      "(GET|POST) \\/api",
      { all: [{ any: ["GET", "POST"] }, " /api", { any: ["GET /api", "POST /api"] }] },
    ],
    [
      "conn(ection)? refused",
      { all: ["conn", " refused", { any: ["connection refused", "conn refused"] }] },
    ],
    ["x(a|b)y", { all: ["x", { any: ["a", "b"] }, "y", { any: ["xay", "xby"] }] }],
    ["x(?:a[)]b)?y", { all: ["x", "y", { any: ["xa)by", "xy"] }] }],
    ["(a.*|b)c", { all: [{ any: ["a", "b"] }, "c"] }],
    ["a|.*", true],
    ["a|", true],
    ["ab*", "a"],
    ["ab+c", { all: ["ab", "bc"] }],
    ["ab{2}c", "abbc"],
    ["ab{2,}c", { all: ["abb", "bc"] }],
    ["a(bc){3}", "abcbcbc"],
    ["a(b.c)+d", { all: ["a", "b", "c", "d"] }],
    ["ab{0,}?c", { all: ["a", "c"] }],
    ["ab{0}c", { all: ["a", "c"] }],
    ["a{b}c", "a{b}c"],
    ["a{,2}", "a{,2}"],
    ["a[x\\]y]b", { all: ["a", { any: ["x", "]", "y"] }, "b", { any: ["axb", "a]b", "ayb"] }] }],
    ["[Tt]imeout", "~timeout"],
    ["a[[]b", "a[b"],
    ["a[b-d-]", { all: ["a", { any: ["b", "c", "d", "-"] }, { any: ["ab", "ac", "ad", "a-"] }] }],
    ["a[b\\-d]e", { all: ["a", "e"] }],
    ["a[^b]c", { all: ["a", "c"] }],
    ["a[0-9]c", { all: ["a", "c"] }],
    ["a[]b", { all: ["a", "b"] }],
    ["10\\.0\\.0\\.1", "10.0.0.1"],
    ["\\/var\\/log", "/var/log"],
    ["a\\bb\\Bc", "abc"],
    ["a\\nb", "a\nb"],
    ["\\x41\\u0042\\cA\\c1\\x4g", "AB\u0001\\c1x4g"],
    ["\\u{2}", "uu"],
    ["\\0a", "\0a"],
    ["\\01a", "a"],
    ["(a)\\1b", { all: ["a", "b"] }],
    ["(?<x>a)\\k<x>b", { all: ["a", "b"] }],
    ["a\\k<b|c>", true],
    ["größe", "größe"],
    ["é?a", { all: ["a", { any: ["éa", "a"] }] }],
    ["a(?=b)c", { all: ["b", "ac"] }],
    ["(?<=ab)c(?!d)e", { all: ["ab", "ce"] }],
    ["a(?<!b)c", "ac"],
    ["(?=ab)*c", "c"],
    ["(?i:ab)c", "~abc"],
    ["a|(?ms-i:b)", { any: ["a", "b"] }],
    ["a|(?i:b)é", { any: ["~a", "~b"] }],
    ["a\\.?b", { all: ["a", "b", { any: ["a.b", "ab"] }] }],
    ["a\ufffdb", { all: ["a", "b"] }],
    ["a😀b", "a😀b"],
    ["a😀?b", { all: ["a", "b", { any: ["a😀b", { all: ["a", "b"] }] }] }],
    [".", true],
    ["", true],
    [`${"(".repeat(101)}a${")".repeat(101)}`, true],
  ])("of %s are %j", (source, written) => {
    expect(write(regexCondition(source, false))).toEqual(written);
  });

  test.each<[string, Written]>([
    ["time-out", "~time-out"],
    ["10", "10"],
    ["größe", { all: ["~gr", "~e"] }],
    ["a|b", { any: ["~a", "~b"] }],
    ["(?-i:a)b", "~ab"],
    ["(?-i:a)[0-9]b", { all: ["~a", "~b"] }],
  ])("of %s in any case are %j", (source, written) => {
    expect(write(regexCondition(source, true))).toEqual(written);
  });

  test("stay few and short, however much an expression may match", () => {
    const size = (condition: TextCondition): number =>
      condition.kind === "all" || condition.kind === "any"
        ? condition.of.reduce((sum, part) => sum + size(part), 0)
        : condition.kind === "text"
          ? condition.text.length
          : 0;
    for (const source of [
      "(a|b)".repeat(1000),
      "(abcdef){8}".repeat(500),
      `${"(a|b".repeat(90)}${")+".repeat(90)}`,
      `${"((?=x)a?".repeat(90)}${"){8}".repeat(90)}`,
      "x".repeat(16_000),
    ]) {
      expect(size(regexCondition(source, false))).toBeLessThan(100 * source.length);
    }
  });
});

/** Small enough that texts meet, with what is special in the grammar, in UTF-8 and in cases. */
const UNITS = ["a", "b", "A", "k", "K", "s", "\u212a", "\u017f", "é", "É", "😀", "-", "1", " "];
const ESCAPES = [
  "\\d",
  "\\w",
  "\\S",
  "\\b",
  "\\n",
  "\\.",
  "\\-",
  "\\x61",
  "\\u0062",
  "\\u212a",
  "\\1",
  "\\2",
];
const ODD = [
  "\\c",
  "\\cJ",
  "\\k",
  "\\k<a>",
  "\\8",
  "\\01",
  "\\x6",
  "\\u{2}",
  "{",
  "}",
  "]",
  "{1",
  "\ufffd",
  "\ud83d",
  "\n",
];
const CLASSES = [
  "[ab]",
  "[^a]",
  "[a-c]",
  "[Aa]",
  "[k\\-s]",
  "[\\]a]",
  "[a-]",
  "[]",
  "[^]",
  "[é]",
  "[\\d-b]",
  "[--1]",
  "[\\cJ]",
];
const QUANTIFIERS = ["", "", "", "", "?", "*", "+", "{2}", "{0}", "{1,2}", "{2,}", "+?", "{0,1}"];
const OPENERS = ["(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?i:", "(?-i:", "(?<a>"];

const sources: fc.Arbitrary<string> = fc
  .letrec<{ choice: string; sequence: string; atom: string }>((tie) => ({
    choice: fc
      .array(tie("sequence"), { minLength: 1, maxLength: 3 })
      .map((sequences) => sequences.join("|")),
    sequence: fc
      .array(fc.tuple(tie("atom"), fc.constantFrom(...QUANTIFIERS)), { maxLength: 4 })
      .map((parts) => parts.flat().join("")),
    atom: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      { arbitrary: fc.constantFrom(...UNITS), weight: 12 },
      { arbitrary: fc.constantFrom(...ESCAPES), weight: 2 },
      { arbitrary: fc.constantFrom(...ODD), weight: 1 },
      { arbitrary: fc.constantFrom(...CLASSES), weight: 3 },
      { arbitrary: fc.constantFrom(".", "^", "$"), weight: 1 },
      {
        arbitrary: fc
          .tuple(fc.constantFrom(...OPENERS), tie("choice"))
          .map(([open, inner]) => `${open}${inner})`),
        weight: 4,
      },
    ),
  }))
  .choice.filter(isValid);

const bodies = fc
  .array(
    fc.oneof(
      {
        arbitrary: fc
          .constantFrom(...UNITS, "ab", "aa", "k<a>", "\n", "u", "x6")
          .map((s) => [...Buffer.from(s)]),
        weight: 9,
      },
      fc.constantFrom(
        [0xff],
        [0xe2, 0x84],
        [0xaa],
        [0xc5],
        [0xbf],
        [0xf0, 0x9f],
        [0xef, 0xbf, 0xbd],
      ),
    ),
    { maxLength: 10 },
  )
  .map((parts) => Buffer.from(parts.flat()));

function isValid(source: string): boolean {
  try {
    return new RegExp(source).source !== "";
  } catch {
    return false;
  }
}

/** V8's own backtracking can take for ever on nested repetitions; that is not what is asked here. */
const ORACLE_TIMEOUT_MS = 300;
const oracle = { regex: /./, texts: [] as string[], matches: [] as boolean[] };
const oracleContext = createContext(oracle);
const askOracle = new Script("matches = texts.map((text) => regex.test(text))");

/** Which of the texts match; undefined where V8 does not come to an end. */
function matchesOf(regex: RegExp, texts: string[]): readonly boolean[] | undefined {
  Object.assign(oracle, { regex, texts });
  try {
    askOracle.runInContext(oracleContext, { timeout: ORACLE_TIMEOUT_MS });
    return oracle.matches;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    throw error;
  }
}

test("the oracle of the next test gives an expression up that would take for ever", () => {
  expect(matchesOf(/^(?:(?:a*)*)*$/, ["aaa", "b"])).toEqual([true, false]);
  expect(matchesOf(/^(?:a|aa)*(?:a|aa)*(?:a|aa)*$/, [`${"a".repeat(200)}b`])).toBeUndefined();
});

test("no body that matches lacks them", () => {
  let matches = 0;
  let said = 0;
  const runs = 2500;
  fc.assert(
    fc.property(
      sources,
      fc.boolean(),
      fc.array(bodies, { minLength: 8, maxLength: 8 }),
      (source, ignoreCase, all) => {
        const regex = new RegExp(source, ignoreCase ? "i" : "");
        const condition = regexCondition(source, ignoreCase);
        const matched = matchesOf(
          regex,
          all.map((body) => decodeUtf8(body, 0, body.length)),
        );
        for (const [index, body] of all.entries()) {
          if (matched?.[index] === true) {
            matches++;
            said += condition.kind === "true" ? 0 : 1;
            if (!holds(condition, body.toString("latin1"))) {
              throw new Error(
                `${regex} matches ${JSON.stringify(body.toString())} (${body.toString("hex")})`,
              );
            }
          }
        }
      },
    ),
    { numRuns: runs },
  );
  // The test would say nothing if hardly any body matched, or hardly any expression required a text.
  expect(matches).toBeGreaterThan(runs / 2);
  expect(said).toBeGreaterThan(runs / 5);
});
