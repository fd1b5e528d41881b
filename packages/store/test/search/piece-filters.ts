import type { Filter, Term } from "@sluice/query";
import fc from "fast-check";

/** Which pieces of which bodies a filter asks for: places are taken modulo what there is. */
interface Cut {
  readonly record: number;
  readonly at: number;
  readonly length: number;
  /** Goes on with the beginning of this record's body, as if it stood behind it. */
  readonly across: number | undefined;
  readonly between: string;
}

const anyCut: fc.Arbitrary<Cut> = fc.record({
  record: fc.nat(),
  at: fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 60 })),
  length: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 24 })),
  across: fc.option(fc.nat(), { nil: undefined, freq: 4 }),
  between: fc.constantFrom("", "", " ", "\n"),
});

/** A text of the bodies as they are read: an invalid byte as one character. */
function pieceOf(bodies: readonly Buffer[], cut: Cut): string {
  const piece = cutOut(bodies, cut);
  // Half of a surrogate pair is no text that a query can hold.
  return piece.isWellFormed() && piece !== "" ? piece : "a";
}

function cutOut(bodies: readonly Buffer[], cut: Cut): string {
  const { record, at, length, across, between } = cut;
  const text = bodies[record % bodies.length]?.toString() ?? "";
  if (across !== undefined) {
    const next = bodies[across % bodies.length]?.toString() ?? "";
    return `${text.slice(-length)}${between}${next.slice(0, length)}`;
  }
  const from = text.length === 0 ? 0 : at % text.length;
  return text.slice(from, from + length);
}

type Make = (bodies: readonly Buffer[]) => Filter;

const flags = { wholeStart: fc.boolean(), wholeEnd: fc.boolean() };

const anyText = fc
  .record({ cut: anyCut, isUpper: fc.boolean(), ...flags })
  .map(({ cut, isUpper, ...whole }): Make => (bodies) => {
    const piece = pieceOf(bodies, cut);
    return { kind: "text", pattern: { text: isUpper ? piece.toUpperCase() : piece, ...whole } };
  });

const anyRegex = fc
  .record({
    cut: anyCut,
    other: anyCut,
    shape: fc.nat({ max: 11 }),
    ignoreCase: fc.boolean(),
  })
  .map(({ cut, other, shape, ignoreCase }): Make => (bodies) => {
    const piece = escaped(pieceOf(bodies, cut));
    const second = escaped(pieceOf(bodies, other));
    const shapes = [
      piece,
      `${piece}|${second}`,
      `${piece}.`,
      `${piece}.${second}`,
      `${piece}\\s`,
      `\\s${piece}`,
      `^${piece}`,
      `${piece}$`,
      `${piece}[^x]`,
      `(?:${piece})+[0-9]{1,2}`,
      `${piece}(?!x)`,
      `[^\\x00-\\x7f]${piece}|${second}`,
    ];
    return { kind: "regex", source: shapes[shape] ?? piece, ignoreCase };
  });

const anyOther: fc.Arbitrary<Make> = fc
  .constantFrom<Term>(
    { kind: "level", text: ">=error", min: 17, max: 24 },
    { kind: "field", name: "user", test: { kind: "glob", pattern: "root" } },
    { kind: "field", name: "user", test: { kind: "glob", pattern: "bob" } },
    { kind: "field", name: "env", test: { kind: "glob", pattern: "prod" } },
    { kind: "field", name: "n", test: { kind: "compare", operator: "=", number: "5" } },
    { kind: "field", name: "host", test: { kind: "glob", pattern: "db-*" } },
    { kind: "text", pattern: { text: "©", wholeStart: false, wholeEnd: false } },
    { kind: "text", pattern: { text: "Ã", wholeStart: false, wholeEnd: false } },
    { kind: "text", pattern: { text: "\ufffd", wholeStart: false, wholeEnd: false } },
  )
  .map((term) => () => term);

/** Filters made of pieces of the bodies that they are going to be asked of, cut anywhere. */
export const pieceFilters: fc.Arbitrary<Make> = fc.letrec<{ tree: Make }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 2, depthSize: "small" },
    fc.oneof(
      { weight: 5, arbitrary: anyText },
      { weight: 4, arbitrary: anyRegex },
      { weight: 2, arbitrary: anyOther },
    ),
    fc.tuple(fc.constantFrom("and" as const, "or" as const), tie("tree"), tie("tree")).map(
      ([kind, a, b]): Make =>
        (bodies) =>
          joined(kind, [a(bodies), b(bodies)]),
    ),
    tie("tree").map((part): Make => (bodies) => {
      const inner = part(bodies);
      return inner.kind === "not" ? inner.part : { kind: "not", part: inner };
    }),
  ),
})).tree;

/** No `and` directly inside `and`, as the parser makes them. */
function joined(kind: "and" | "or", parts: readonly Filter[]): Filter {
  return { kind, parts: parts.flatMap((part) => (part.kind === kind ? part.parts : [part])) };
}

function escaped(text: string): string {
  return text
    .replaceAll(/[/\\^$.*+?()[\]{}|]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
}
