import * as fc from "fast-check";
import { allOf, anyOf } from "../src/ast.ts";
import type { FieldTest, Filter, Term, TextPattern } from "../src/ast.ts";
import { parseQuery } from "../src/parser.ts";

/** The filter of a text that must be a query. */
export function filterOf(text: string): Filter {
  const parsed = parseQuery(text);
  if (!parsed.ok) {
    throw new Error(`${text}: ${parsed.error.message}`);
  }
  return parsed.value.filter;
}

const flags = { wholeStart: fc.boolean(), wholeEnd: fc.boolean() };

/** Patterns over few texts, so that they are found in bodies of the same few. */
export function patterns(text: fc.Arbitrary<string>): fc.Arbitrary<TextPattern> {
  return fc.record({ text, ...flags });
}

const anyText: fc.Arbitrary<string> = fc
  .string({ minLength: 1, maxLength: 8, unit: "binary" })
  .filter((text) => text.isWellFormed());

const globs = fc
  .stringMatching(/^[a-z0-9_/.*?=:é-]{1,8}$/)
  .filter((glob) => !/^(?:[=:]|\/\/)/.test(glob));

const tests: fc.Arbitrary<FieldTest> = fc.oneof(
  globs.map((pattern): FieldTest => ({ kind: "glob", pattern })),
  patterns(anyText).map((pattern): FieldTest => ({ kind: "text", pattern })),
  fc.record({
    kind: fc.constant("compare" as const),
    operator: fc.constantFrom(">=", "<=", ">", "<", "="),
    number: fc.constantFrom("500", "-1.5", "9007199254740993", "1e9"),
  }),
);

/** Every kind of term, with texts of any characters. */
export const terms: fc.Arbitrary<Term> = fc.oneof(
  patterns(anyText).map((pattern): Term => ({ kind: "text", pattern })),
  fc.record({
    kind: fc.constant("regex" as const),
    source: fc.constantFrom("a", "took \\d{4,}ms", '[/"(]', "\\/var\\/(log|run)", "a|b "),
    ignoreCase: fc.boolean(),
  }),
  fc.constantFrom<Term>(
    { kind: "level", text: "warn", min: 13, max: 16 },
    { kind: "level", text: ">=error", min: 17, max: 24 },
    { kind: "level", text: "unknown", min: 0, max: 0 },
  ),
  fc.record({
    kind: fc.constant("field" as const),
    name: fc.constantFrom("status", "user.id", "k8s.io/name", "größe", "_x-y"),
    test: tests,
  }),
  globs.map((pattern): Term => ({ kind: "field", name: "host", test: { kind: "glob", pattern } })),
);

/** Canonical trees over some terms. */
export function filters(leaves: fc.Arbitrary<Term>): fc.Arbitrary<Filter> {
  return fc.letrec<{ tree: Filter }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      fc.oneof({ arbitrary: leaves, weight: 9 }, fc.constant<Filter>({ kind: "all" })),
      fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map(allOf),
      fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map(anyOf),
      tie("tree").map((part): Filter => ({ kind: "not", part })),
    ),
  })).tree;
}
