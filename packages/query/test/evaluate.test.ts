import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TextPattern } from "../src/ast.ts";
import { compileFilter } from "../src/evaluate.ts";
import type { Verdict } from "../src/evaluate.ts";
import type { StreamIdentity } from "../src/record-field.ts";
import { compileTextOnBytes, compileTextOnString } from "../src/text-match.ts";
import { columnsOf, STREAM } from "./blocks.ts";
import type { TestRecord } from "./blocks.ts";
import { filterOf, patterns } from "./filters.ts";

function matches(query: string, record: TestRecord | string, stream = STREAM): boolean {
  const columns = columnsOf([typeof record === "string" ? { body: record } : record]);
  return compileFilter(filterOf(query)).matches(stream, columns, 0);
}

describe("text in a body", () => {
  test.each<[string, string, boolean]>([
    ["timeout", "a TimeOut occurred", true],
    ["timeout", "timeout", true],
    ["timeout", "timeouts", false],
    ["timeout", "read_timeout", false],
    ["timeout", "étimeout", false],
    ["timeout", "(timeout)", true],
    ["timeout", "timeouts timeout", true],
    ["time*", "timeouts", true],
    ["time*", "overtime", false],
    ["*time", "overtime", true],
    ["*time", "timeouts", false],
    ["*imeou*", "TIMEOUTS", true],
    ['"connection refused"', "x Connection Refused.", true],
    ['"connection refused"', "connection  refused", false],
    ['"connection refused"', "connection refusedly", false],
    ['*"n refused"*', "connection refusedly", true],
    ['"(root)"', "a(root)b", true],
    ['"(root"', "a(root)", true],
    ['"(root"', "a(rooted)", false],
    ["größe", "Größe 5", true],
    ["größe", "GRÖSSE 5", false],
    ["É", "é", false],
    ['"a\nb"', "x a\nb y", true],
    ["*", "", true],
    ["aab*", "aaab aab", true],
    ["*aab", "aaab", true],
    ["a -b", "a c", true],
    ["a -b", "a b", false],
    ["a or b", "b", true],
    ["-(a b)", "a", true],
  ])("%s in %j: %s", (query, body, expected) => {
    expect(matches(query, body)).toBe(expected);
  });

  test("may stand beside bytes that are not UTF-8", () => {
    const body = Buffer.from([0x61, 0x00, 0xff, 0x20, 0x62, 0x0d]);
    expect(matches("b", { body })).toBe(true);
    // 0xff belongs to words, NUL does not.
    expect(matches("a", { body })).toBe(true);
    expect(matches("*a*", { body: Buffer.from([0xff, 0x61]) })).toBe(true);
    expect(matches("a", { body: Buffer.from([0xff, 0x61]) })).toBe(false);
  });

  test("means the same in a text as in its UTF-8 bytes", () => {
    const letters = fc.string({
      unit: fc.constantFrom("a", "A", "b", "_", " ", "-", "é", "É", "😀", "\n"),
      maxLength: 12,
    });
    const needles = letters.filter((text) => text !== "");
    fc.assert(
      fc.property(patterns(needles), letters, (pattern: TextPattern, text) => {
        const bytes = Buffer.from(`x${text}x`);
        expect(compileTextOnBytes(pattern)(bytes, 1, bytes.length - 1)).toBe(
          compileTextOnString(pattern)(text),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a regular expression", () => {
  test.each<[string, string | Uint8Array, boolean]>([
    ["/took \\d{4,}ms/", "took 1234ms", true],
    ["/took \\d{4,}ms/", "took 123ms", false],
    ["/Error$/", "an Error", true],
    ["/error/", "Error", false],
    ["/error/i", "Error", true],
    ["/^a.c$/", "aéc", true],
    ["/^a.c$/", Buffer.from([0x61, 0xff, 0x63]), true],
    ["/^a..c$/", Buffer.from([0x61, 0xe2, 0x82, 0x63]), true],
    ["/^a...c$/", Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x63]), true],
    ["/^a..c$/", Buffer.from([0x61, 0xc0, 0x80, 0x63]), true],
    ["/^\\uFEFFa/", Buffer.from([0xef, 0xbb, 0xbf, 0x61]), true],
    ["/^\\uFFFD\\uFFFDa/", Buffer.from([0xef, 0xbf, 0xbd, 0xff, 0x61]), true],
    ["/^a$/", "a\nb", false],
    ["/a.b/", "a\nb", false],
  ])("%s on %j: %s", (query, body, expected) => {
    expect(matches(query, { body })).toBe(expected);
  });
});

describe("a level", () => {
  test.each<[string, number, boolean]>([
    ["level:warn", 12, false],
    ["level:warn", 13, true],
    ["level:warn", 16, true],
    ["level:warn", 17, false],
    ["level:>=warn", 12, false],
    ["level:>=warn", 13, true],
    ["level:>=warn", 24, true],
    ["level:<=warn", 0, false],
    ["-level:>=warn", 0, true],
    ["level:unknown", 0, true],
    ["level:unknown", 1, false],
  ])("%s on severity %i: %s", (query, severity, expected) => {
    expect(matches(query, { body: "", severity })).toBe(expected);
  });
});

describe("a field", () => {
  const stream: StreamIdentity = { ...STREAM, labels: { env: "prod", unit: "label.service" } };

  test.each<[string, TestRecord, boolean]>([
    ["host:web-*", { body: "" }, true],
    ["host:web", { body: "" }, false],
    ["source:*syslog", { body: "" }, true],
    ['host:"web"', { body: "" }, true],
    ["host:web-1", { body: "", attributes: { host: "db-1" } }, true],
    ["env:prod", { body: "env=test" }, true],
    ["env:test", { body: "env=test" }, false],
    ["env:test", { body: "", attributes: { env: "test" } }, true],
    ["unit:ssh.service", { body: "", attributes: { unit: "ssh.service" } }, true],
    ["unit:label.service", { body: "" }, true],
    ["constructor:*", { body: "", attributes: { a: "b" } }, false],
    ["toString:*", { body: "{}" }, false],
    ["status:>=500", { body: "", attributes: { status: "503" } }, true],
    ["status:>=500", { body: "", attributes: { status: "5O3" } }, false],
    ["-status:>=500", { body: "" }, true],
    ["status:*", { body: "" }, false],
    ["status:=500", { body: "status=5e2" }, true],
    ["status:<0", { body: "status=-0" }, false],
    ["id:>9007199254740992", { body: '{"id":9007199254740993}' }, true],
    ["id:=9007199254740992", { body: '{"id":9007199254740993}' }, false],
    ["id:9007199254740993", { body: '{"id":9007199254740993}' }, true],
    ["id:<-99999999999999999998", { body: "id=-99999999999999999999" }, true],
    ["id:<100000000000000000000000", { body: "id=000000000000000000000000000007" }, true],
    ['msg:"refused by"', { body: '{"msg":"Connection refused by peer"}' }, true],
    ['msg:"used by"', { body: '{"msg":"Connection refused by peer"}' }, false],
    ['msg:*"used by"*', { body: '{"msg":"Connection refused by peer"}' }, true],
  ])("%s on %j: %s", (query, record, expected) => {
    expect(matches(query, record, stream)).toBe(expected);
  });
});

describe("a whole stream", () => {
  test.each<[string, Verdict]>([
    ["*", "yes"],
    ["host:web-*", "yes"],
    ["host:db-*", "no"],
    ["-host:web-*", "no"],
    ["host:web-* timeout", "maybe"],
    ["host:db-* timeout", "no"],
    ["host:web-* or timeout", "yes"],
    ["host:db-* or timeout", "maybe"],
    ["host:db-* or source:/tmp/*", "no"],
    ["-(host:web-* timeout)", "maybe"],
    ["env:prod", "maybe"],
    ["level:warn", "maybe"],
    ["/a/", "maybe"],
  ])("%s: %s", (query, verdict) => {
    expect(compileFilter(filterOf(query)).streamMayMatch(STREAM)).toBe(verdict);
  });

  test("is tested anew when another stream follows", () => {
    const filter = compileFilter(filterOf("host:web-*"));
    const columns = columnsOf([{ body: "" }]);
    const streams = [STREAM, { ...STREAM, host: "db-1" }, STREAM];
    expect(streams.map((stream) => filter.matches(stream, columns, 0))).toEqual([
      true,
      false,
      true,
    ]);
  });
});
