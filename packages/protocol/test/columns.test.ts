import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeColumns, encodeColumns } from "../src/columns.ts";
import { LIMITS } from "../src/limits.ts";
import { MAX_TIME_US, type RecordColumns } from "../src/record.ts";
import { type RecordOfTest, records, toColumns, toRecords } from "./arbitraries.ts";

const text = new TextEncoder();

function record(body: string, rest: Partial<RecordOfTest> = {}): RecordOfTest {
  return { timeUs: 0, severity: 9, body: text.encode(body), attributes: undefined, ...rest };
}

function refusal(payload: Uint8Array, count: number): string {
  const decoded = decodeColumns(payload, count);
  return decoded.ok ? "accepted" : `${decoded.error.code}: ${decoded.error.detail}`;
}

/** A payload out of hand-made sections, with a trailer that fits them. */
function payloadOf(
  bodies: string,
  times: number[],
  runs: number[],
  lengths: number[],
  attributes: number[] = [],
): Buffer {
  const sections = [times, runs, lengths, attributes];
  const trailer = Buffer.alloc(16);
  sections.forEach((section, i) => trailer.writeUInt32LE(section.length, i * 4));
  return Buffer.concat([
    Buffer.from(bodies, "latin1"),
    ...sections.map((section) => Uint8Array.from(section)),
    trailer,
  ]);
}

describe("columns", () => {
  test("any records survive: every byte value, empty bodies, any attributes, any time", () => {
    fc.assert(
      fc.property(records, (list) => {
        const decoded = decodeColumns(encodeColumns(toColumns(list)), list.length);
        expect(decoded.ok && toRecords(decoded.value)).toEqual(list);
      }),
    );
  });

  test("all 256 byte values survive in one body", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const decoded = decodeColumns(encodeColumns(toColumns([{ ...record(""), body: all }])), 1);
    expect(decoded.ok && toRecords(decoded.value)[0]?.body).toEqual(all);
  });

  test("the payload begins with the bodies exactly as a file holds them", () => {
    const payload = encodeColumns(toColumns([record("one"), record(""), record("three\r")]));
    expect(payload.subarray(0, 12).toString()).toBe("one\n\nthree\r\n");
  });

  test("decoded bodies are a view of the payload, not a copy", () => {
    const payload = encodeColumns(toColumns([record("one")]));
    const decoded = decodeColumns(payload, 1);
    expect(decoded.ok && decoded.value.bodies.buffer).toBe(payload.buffer);
  });

  test("an attribute named __proto__ is data", () => {
    const attributes = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const decoded = decodeColumns(encodeColumns(toColumns([record("a", { attributes })])), 1);
    const first = decoded.ok ? decoded.value.attributes?.[0] : undefined;
    expect(Object.entries(first ?? {})).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  test("empty attributes take no section", () => {
    const plain = encodeColumns(toColumns([record("a")]));
    expect(encodeColumns(toColumns([record("a", { attributes: {} })]))).toEqual(plain);
  });

  test("the largest batch that the limits allow is decoded", () => {
    const list = Array.from({ length: 4 }, () => record("x".repeat(LIMITS.recordBytes - 1)));
    const payload = encodeColumns(toColumns(list));
    expect(refusal(payload, 4)).toBe("accepted");
    const many: RecordColumns = {
      count: LIMITS.batchRecords,
      timesUs: new Float64Array(LIMITS.batchRecords).map((_, i) => (i % 2 ? 1 : -1) * MAX_TIME_US),
      severities: new Uint8Array(LIMITS.batchRecords).map((_, i) => i % 2),
      bodyOffsets: new Uint32Array(LIMITS.batchRecords + 1).map((_, i) => i),
      bodies: new Uint8Array(LIMITS.batchRecords).fill(0x0a),
      attributes: undefined,
    };
    const most = encodeColumns(many);
    expect(refusal(most, LIMITS.batchRecords)).toBe("accepted");
    expect(most.length).toBeLessThan(LIMITS.payloadRawBytes);
  });
});

describe("a payload is refused", () => {
  const good = payloadOf("a\nb\n", [0, 2], [2, 9], []);
  test("unless it is well formed, as this one is", () => {
    expect(refusal(good, 2)).toBe("accepted");
  });

  test.each([
    ["of no bytes", Buffer.alloc(0), 1, "shorter than its trailer"],
    ["cut off in its trailer", good.subarray(0, 15), 2, "shorter than its trailer"],
    ["with a count below its own", good, 1, "times are malformed"],
    ["with a count above its own", good, 3, "times are malformed"],
    ["with sections longer than it is", Buffer.alloc(16, 0xff), 1, "longer than the payload"],
    ["with a time cut off", payloadOf("a\n", [0x80], [1, 9], [1]), 1, "times"],
    ["with a byte behind the times", payloadOf("a\n", [0, 0], [1, 9], [1]), 1, "times"],
    [
      "with a time out of range",
      payloadOf("a\n", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], [1, 9], [1]),
      1,
      "times",
    ],
    ["with severity 25", payloadOf("a\n", [0], [1, 25], [1]), 1, "severities"],
    ["with a run of none", payloadOf("a\n", [0], [0, 9], [1]), 1, "severities"],
    ["with too long a run", payloadOf("a\n", [0], [2, 9], [1]), 1, "severities"],
    ["with a run split in two", payloadOf("a\nb\n", [0, 0], [1, 9, 1, 9], [1, 1]), 2, "severities"],
    ["with a byte behind the runs", payloadOf("a\n", [0], [1, 9, 0], [1]), 1, "severities"],
    ["without the LF of a body", payloadOf("ab", [0], [1, 9], []), 1, "lengths"],
    ["with an LF short of its place", payloadOf("a\nb", [0], [1, 9], []), 1, "lengths"],
    ["with bytes behind the last body", payloadOf("a\nb", [0], [1, 9], []), 1, "lengths"],
    ["with fewer LFs than records", payloadOf("a\nb", [0, 0], [2, 9], []), 2, "lengths"],
    ["with more LFs than records", payloadOf("a\nb\n", [0], [1, 9], []), 1, "lengths"],
    ["with lengths that the LFs tell", payloadOf("a\n", [0], [1, 9], [1]), 1, "lengths"],
    ["with a length that ends at no LF", payloadOf("a\nbc", [0], [1, 9], [3]), 1, "lengths"],
    ["with a body past the bodies", payloadOf("a\nb\n", [0], [1, 9], [9]), 1, "lengths"],
    ["with bodies past the lengths", payloadOf("a\nb\nc", [0], [1, 9], [3]), 1, "lengths"],
    ["with a byte behind the lengths", payloadOf("a\nb\n", [0], [1, 9], [3, 0]), 1, "lengths"],
    ["with attributes of none", payloadOf("a\n", [0], [1, 9], [], [0]), 1, "without attributes"],
    ["with attributes cut off", payloadOf("a\n", [0], [1, 9], [], [3, 1, 97]), 1, "cut off"],
    ["with an attribute cut off", payloadOf("a\n", [0], [1, 9], [], [2, 1, 97]), 1, "cut off"],
    [
      "with an attribute that is not UTF-8",
      payloadOf("a\n", [0], [1, 9], [], [4, 1, 97, 1, 0xff]),
      1,
      "not UTF-8",
    ],
    [
      "with an attribute given twice",
      payloadOf("a\n", [0], [1, 9], [], [6, 1, 97, 0, 1, 97, 0]),
      1,
      "twice",
    ],
    [
      "with bytes behind the attributes",
      payloadOf("a\n", [0], [1, 9], [], [3, 1, 97, 0, 0]),
      1,
      "follow",
    ],
  ])("%s", (_, payload, count, detail) => {
    expect(refusal(payload, count)).toMatch(/^bad_columns: /);
    expect(refusal(payload, count)).toContain(detail);
  });

  test("as too large where it exceeds the limits in records, bytes or attributes", () => {
    expect(refusal(good, 0)).toMatch(/^limit_exceeded/);
    expect(refusal(good, LIMITS.batchRecords + 1)).toMatch(/^limit_exceeded/);
    expect(refusal(Buffer.alloc(LIMITS.payloadRawBytes + 1), 1)).toMatch(/^limit_exceeded/);
    const bodies = `${"x".repeat(LIMITS.batchRawBytes)}\n`;
    expect(refusal(payloadOf(bodies, [0], [1, 9], [1]), 1)).toMatch(/^limit_exceeded/);
    const pair = [1, 97, 0x81, 0x80, 0x04, ...new Uint8Array(65_537).fill(97)];
    const large = payloadOf("a\n", [0], [1, 9], [], [0x86, 0x80, 0x04, ...pair]);
    expect(refusal(large, 1)).toContain("too large");
  });

  test("when a body is longer than a record may be", () => {
    const body = "x".repeat(LIMITS.recordBytes + 1);
    expect(refusal(payloadOf(`${body}\n`, [0], [1, 9], [0x81, 0x80, 0x10]), 1)).toContain(
      "lengths",
    );
  });
});

describe("encoding refuses", () => {
  test.each<[string, Partial<RecordColumns>]>([
    ["no records", { count: 0 }],
    ["a fraction of a microsecond", { timesUs: Float64Array.of(0.5) }],
    ["a time out of range", { timesUs: Float64Array.of(MAX_TIME_US + 1) }],
    ["severity 25", { severities: Uint8Array.of(25) }],
    ["a body without its LF", { bodies: text.encode("ab") }],
    ["bodies that the offsets do not span", { bodies: text.encode("a\nb\n") }],
    ["a lone surrogate", { attributes: [{ key: "\ud800" }] }],
  ])("%s", (_, change) => {
    const columns = { ...toColumns([record("a")]), ...change };
    expect(() => encodeColumns(columns)).toThrow(RangeError);
  });
});
