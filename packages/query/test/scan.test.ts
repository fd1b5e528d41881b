import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Filter, Term } from "../src/ast.ts";
import { compileFilter } from "../src/evaluate.ts";
import { scanBlock } from "../src/scan.ts";
import type { ScanOptions } from "../src/scan.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import type { TestRecord } from "./blocks.ts";
import { filterOf, filters, patterns } from "./filters.ts";

/** What bodies and needles are made of: few enough to meet, hostile enough to hurt. */
const pieces = [
  "a",
  "A",
  "b",
  "ab",
  "k",
  "\u212a",
  "_",
  " ",
  "\n",
  "\r",
  "\0",
  "é",
  "É",
  "x=1",
  ".",
];
const needles = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(""));
const bodies = fc
  .array(
    fc.oneof(
      fc
        .constantFrom(...pieces, '{"x":1,"y":"b"}', 'y=abab1 y="ab\\ab"')
        .map((piece) => Buffer.from(piece)),
      fc
        .constantFrom([0xff], [0xc3], [0xa9], [0xe2, 0x84], [0xef, 0xbf, 0xbd])
        .map((b) => Buffer.from(b)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));
const fields = fc.option(fc.constantFrom({ x: "1" }, { x: "2" }, { y: "b" }), {
  nil: undefined,
  freq: 4,
});
const records: fc.Arbitrary<TestRecord> = fc
  .record({
    body: bodies,
    severity: fc.constantFrom(0, 9, 17),
    timeUs: fc.nat(9),
    attributes: fields,
  })
  .map(({ attributes, ...rest }) => (attributes === undefined ? rest : { ...rest, attributes }));
const plainRecords = records.map(({ body, severity = 0 }): TestRecord => ({ body, severity }));
const blocks = fc
  .oneof(
    fc.array(plainRecords, { minLength: 1, maxLength: 30 }),
    fc.array(records, { minLength: 1, maxLength: 30 }),
  )
  .map(columnsOf);

const leaves: fc.Arbitrary<Term> = fc.oneof(
  { arbitrary: patterns(needles).map((pattern): Term => ({ kind: "text", pattern })), weight: 4 },
  fc.record({
    kind: fc.constant("regex" as const),
    source: fc.constantFrom(
      "a+b",
      "ab.",
      "^a",
      "\\u0061b",
      "a.*k$",
      "(a|b)k",
      "ab|\u212a|k",
      "(\\.|é) ?[aA]",
      "a?b",
      "ab{0}",
      "[ab]k\\n",
      "é",
      "k",
    ),
    ignoreCase: fc.boolean(),
  }),
  fc.constant<Term>({ kind: "level", text: "info", min: 9, max: 12 }),
  fc.constantFrom<Term>(
    { kind: "field", name: "x", test: { kind: "glob", pattern: "1" } },
    { kind: "field", name: "y", test: { kind: "glob", pattern: "*" } },
    { kind: "field", name: "y", test: { kind: "glob", pattern: "abab*" } },
    { kind: "field", name: "env", test: { kind: "glob", pattern: "prod" } },
  ),
);
const options: fc.Arbitrary<ScanOptions> = fc.record(
  {
    fromUs: fc.integer({ min: -1, max: 30 }),
    untilUs: fc.integer({ min: 0, max: 31 }),
    newestFirst: fc.boolean(),
    limit: fc.integer({ min: 0, max: 8 }),
  },
  { requiredKeys: [] },
);

function scanEach(
  filter: Filter,
  stream: typeof STREAM,
  columns: ReturnType<typeof columnsOf>,
  { fromUs = -Infinity, untilUs = Infinity, newestFirst = false, limit = Infinity }: ScanOptions,
): number[] {
  const { matches } = compileFilter(filter);
  const time = (index: number): number => columns.timesUs[index] ?? 0;
  const found = Array.from({ length: columns.count }, (_, index) => index)
    .filter((index) => matches(stream, columns, index))
    .filter((index) => time(index) >= fromUs && time(index) < untilUs)
    .sort((a, b) => time(a) - time(b) || a - b);
  return (newestFirst ? found.reverse() : found).slice(0, limit);
}

describe("scanBlock", () => {
  test("finds what a look at each record finds, in every order and range", () => {
    const streams = fc.constantFrom(STREAM, { ...STREAM, labels: { env: "prod", x: "1" } });
    fc.assert(
      fc.property(filters(leaves), streams, blocks, options, (filter, stream, columns, scan) => {
        expect(scanBlock(compileFilter(filter), stream, columns, scan)).toEqual(
          scanEach(filter, stream, columns, scan),
        );
      }),
      { numRuns: 4000 },
    );
  });

  test("finds the newest of many records wherever its steps end", () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({
      body: `line ${i} ${i % 7 === 0 ? "Needle" : "hay"} ${"x".repeat(i % 90)}`,
    }));
    const columns = columnsOf(many);
    for (const query of ["needle", "line", "level:unknown"]) {
      const filter = compileFilter(filterOf(query));
      for (const limit of [1, 2, 100, 200, 428, 429, 2000, 3001]) {
        const scan = { newestFirst: true, limit };
        expect(scanBlock(filter, STREAM, columns, scan)).toEqual(
          scanEach(filter.filter, STREAM, columns, scan),
        );
      }
    }
  });

  test("does not take a text that two records hold together for a match", () => {
    const columns = columnsOf([{ body: "xa" }, { body: "bx" }, { body: "x a\nb x" }]);
    expect(scanBlock(compileFilter(filterOf('*"a\nb"*')), STREAM, columns)).toEqual([2]);
  });

  test("reads no record of a stream that the filter excludes", () => {
    const columns = columnsOf([{ body: "a" }]);
    Object.defineProperty(columns, "bodies", { get: () => expect.unreachable() });
    expect(scanBlock(compileFilter(filterOf("host:db-* a")), STREAM, columns)).toEqual([]);
  });
});
