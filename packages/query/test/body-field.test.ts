import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileBodyField } from "../src/body-field.ts";

function field(name: string, body: string | Uint8Array): string | undefined {
  const bytes = Buffer.concat([
    Buffer.from("x=9 "),
    Buffer.from(body as string),
    Buffer.from(" z=8"),
  ]);
  return compileBodyField(name)(bytes, 4, bytes.length - 4);
}

describe("a field of a JSON body", () => {
  test.each<[string, string, string | undefined]>([
    ["a", '{"a":1}', "1"],
    ["a", ' {"a":1}', "1"],
    ["a", '{ "b" : [1, {"a": 2}] , "a" : "x y" }', "x y"],
    ["a", '{"b":{"a":2}}', undefined],
    ["b.a", '{"b":{"c":{"a":3},"a":2}}', "2"],
    ["b.a", '{"b.a":1}', "1"],
    ["b.c.a", '{"b":{"c":1},"b.c":{"a":2}}', "2"],
    ["b.c.a", '{"b":{"c":{"x":1}},"b.c.a":4}', "4"],
    ["b.a", '{"b":[{"a":1}]}', undefined],
    ["b", '{"b":{"a":[1, "}"]}}', '{"a":[1, "}"]}'],
    ["a", '{"a":null}', "null"],
    ["a", '{"a":true,"b":1}', "true"],
    ["a", '{"a":-1.50e3}', "-1.50e3"],
    ["a", '{"a":12345678901234567890}', "12345678901234567890"],
    ["a", '{"a":""}', ""],
    ["a", '{"a":"q\\"\\u00e9\\\\"}', 'q"é\\'],
    ["a", '{"a":"bad \\x"}', "bad \\x"],
    ["a", '{"b":"\\\\","a":1}', "1"],
    ["a", '{"b":"\\"a\\":2","a":1}', "1"],
    ["a", '{"a":1,"a":2}', "1"],
    ["größe", '{"größe":"Ö"}', "Ö"],
    ["a", '{"a":1,"b":"cut o', "1"],
    ["b", '{"a":1,"b":"cut o', undefined],
    ["b", '{"a":1,"b":{"c":1', undefined],
    ["b", '{"a":1,"b":', undefined],
    ["a", '{"a" 1}', undefined],
    ["a", "{a=1}", undefined],
    ["a", "{}", undefined],
    ["a", 'Nov 22 web-1 app[1]: {"a":1}', "1"],
    ["a", 'a=2 {"a":1}', "1"],
    ["c", 'c=2 {"a":1}', "2"],
  ])("%s in %j is %j", (name, body, value) => {
    expect(field(name, body)).toBe(value);
  });

  test("is what JSON.parse finds", () => {
    const keys = fc.constantFrom("a", "b", "ab", "é");
    const values = fc.letrec<{ value: unknown; object: object }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: "binary" }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom(true, false, null),
        fc.array(tie("value"), { maxLength: 3 }),
        tie("object"),
      ),
      object: fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
    })).object;
    const names = fc.array(keys, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(values, names, fc.constantFrom(0, 1, 2), (object, path, indent) => {
        let expected: unknown = object;
        for (const key of path) {
          expected =
            typeof expected === "object" && expected !== null && !Array.isArray(expected)
              ? (expected as Record<string, unknown>)[key]
              : undefined;
        }
        const text = JSON.stringify(object, undefined, indent);
        const found = compileBodyField(path.join("."))(
          Buffer.from(text),
          0,
          Buffer.byteLength(text),
        );
        if (expected === undefined || typeof expected === "string") {
          expect(found).toBe(expected?.toWellFormed());
        } else {
          expect(JSON.parse(found ?? "")).toEqual(JSON.parse(JSON.stringify(expected)));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("stays inside the body whatever its bytes are", () => {
    const bytes = fc
      .array(fc.constantFrom("{", "}", '"', ":", ",", "a", "\\", "[", "]", "=", " ", "."), {
        maxLength: 12,
      })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(bytes, fc.constantFrom("a", "a.a"), (text, name) => {
        const body = Buffer.from(text);
        const alone = compileBodyField(name)(body, 0, body.length);
        const among = Buffer.from(`a="b" ${text}\n{"a":1} a=2`);
        expect(compileBodyField(name)(among, 6, 6 + body.length)).toBe(alone);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("a field of a body in logfmt", () => {
  test.each<[string, string, string | undefined]>([
    ["uid", "session opened by (uid=0)", "0"],
    ["uid", "logname= uid=0 euid=1", "0"],
    ["euid", "logname= uid=0 euid=1", "1"],
    ["logname", "failure; logname= uid=0", ""],
    ["tag", 'flags=0x1, tag="View Lock", ws=null', "View Lock"],
    ["flags", 'flags=0x1, tag="View Lock", ws=null', "0x1"],
    ["ws", 'tag="a ws=1 b" ws=2', "2"],
    ["msg", 'msg="a \\"b\\"\\n\\\\"', 'a "b"\n\\'],
    ["msg", 'msg="not closed', '"not'],
    ["url", "url=/x?uid=5 uid=7", "/x?uid=5"],
    ["uid", "url=/x?uid=5 uid=7", "7"],
    ["f", "f=foo(bar)", "foo(bar)"],
    ["f", "[f=1]; x", "1"],
    ["http.status", "http.status=200", "200"],
    ["status", "http.status=200", undefined],
    ["a", "a =1", undefined],
    ["a", "a", undefined],
    ["a", "xa=1", undefined],
    ["a", "a=é\tb", "é"],
  ])("%s in %j is %j", (name, body, value) => {
    expect(field(name, body)).toBe(value);
  });
});
