import { describe, expect, test } from "vitest";

import { ExportParser } from "../src/journal/export-parser.ts";
import type { ExportEntry } from "../src/journal/export-parser.ts";
import { exportField, exportOf } from "./journal-fixture.ts";

const LIMITS = new Map([
  ["MESSAGE", 1024],
  ["SHORT", 4],
]);

function texts(entry: ExportEntry): Record<string, [string, number]> {
  return Object.fromEntries(
    [...entry].map(([name, { bytes, originalBytes }]) => [
      name,
      [bytes.toString("latin1"), originalBytes],
    ]),
  );
}

function parse(pieces: readonly Uint8Array[]): {
  entries: Record<string, [string, number]>[];
  fault: string | undefined;
} {
  const parser = new ExportParser(LIMITS);
  const entries: Record<string, [string, number]>[] = [];
  for (const piece of pieces) {
    const parsed = parser.push(piece);
    entries.push(...parsed.entries.map(texts));
    if (parsed.fault !== undefined) return { entries, fault: parsed.fault };
  }
  return { entries, fault: undefined };
}

describe("the export format", () => {
  const output = exportOf([
    { OTHER: "ignored", MESSAGE: "plain = text", SHORT: "abc" },
    { MESSAGE: Buffer.from("binary\n\n\0=\xff", "latin1"), OTHER: Buffer.from("\n\n") },
    { MESSAGE: "", SHORT: Buffer.alloc(0) },
    { OTHER: "nothing that is wanted" },
  ]);
  const expected = [
    { MESSAGE: ["plain = text", 12], SHORT: ["abc", 3] },
    { MESSAGE: ["binary\n\n\0=\xff", 11] },
    { MESSAGE: ["", 0], SHORT: ["", 0] },
    {},
  ];

  test("gives the same entries wherever its bytes are split", () => {
    for (let at = 0; at <= output.length; at++) {
      const pieces = [output.subarray(0, at), output.subarray(at)];
      expect(parse(pieces), `split at ${at}`).toEqual({ entries: expected, fault: undefined });
    }
    const bytes = Array.from(output, (_, at) => output.subarray(at, at + 1));
    expect(parse(bytes)).toEqual({ entries: expected, fault: undefined });
  });

  test("an entry is given once the empty line behind it has come, not before", () => {
    expect(parse([output.subarray(0, output.indexOf("\n\n") + 1)]).entries).toEqual([]);
    expect(parse([output.subarray(0, output.indexOf("\n\n") + 2)]).entries).toHaveLength(1);
  });

  test.each([
    ["text", "123456"],
    ["binary", Buffer.from("1\n3456")],
  ])("a %s value beyond its limit is cut, and its length is known", (_, value) => {
    const entry = exportOf([{ SHORT: value, MESSAGE: "whole" }]);
    const { entries } = parse([entry.subarray(0, 9), entry.subarray(9)]);
    expect(entries).toEqual([{ SHORT: [String(value).slice(0, 4), 6], MESSAGE: ["whole", 5] }]);
  });

  test("a field that is repeated is joined by line feeds, within its limit", () => {
    const twice = Buffer.concat([
      exportField("MESSAGE", "one"),
      exportField("SHORT", "ab"),
      exportField("MESSAGE", "two"),
      exportField("SHORT", "cd"),
      Buffer.from("\n"),
    ]);
    expect(parse([twice]).entries).toEqual([{ MESSAGE: ["one\ntwo", 7], SHORT: ["ab\nc", 5] }]);
  });

  test("empty lines beyond the one that ends an entry are no entries", () => {
    expect(parse([Buffer.from("\n\nMESSAGE=a\n\n\n\n")]).entries).toHaveLength(1);
  });

  const length = (bytes: bigint): Buffer => {
    const field = Buffer.alloc(8);
    field.writeBigUInt64LE(bytes);
    return Buffer.concat([Buffer.from("MESSAGE\n"), field]);
  };

  test.each([
    ["a length beyond what systemd stores", length(768n * 1024n * 1024n + 1n)],
    ["a length that is negative as a number of 64 bits", length(2n ** 64n - 1n)],
    [
      "a binary value that is longer than it says",
      Buffer.concat([length(1n), Buffer.from("ab\n\n")]),
    ],
    ["a name with bytes that no name has", Buffer.from("Fehler \xe4\n\n", "latin1")],
    ["a name without an end", Buffer.alloc(300, "N")],
    ["a field without a name", Buffer.from("=value\n\n")],
  ])("%s is a fault, behind the entries in front of it", (_, bytes) => {
    const { entries, fault } = parse([Buffer.from("MESSAGE=good\n\n"), bytes]);
    expect(entries).toEqual([{ MESSAGE: ["good", 4] }]);
    expect(fault).toBeTypeOf("string");
  });

  test("what is not wanted, or lies beyond a limit, takes no memory", () => {
    const parser = new ExportParser(LIMITS);
    parser.push(exportField("SHORT", "x"));
    parser.push(length(256n * 1024n * 1024n));
    const piece = Buffer.alloc(64 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 256 * 16; sent++) parser.push(piece);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    const { entries } = parser.push(Buffer.from("\n\n"));
    expect(entries[0]?.get("MESSAGE")).toMatchObject({ originalBytes: 256 * 1024 * 1024 });
  });
});
