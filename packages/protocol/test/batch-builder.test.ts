import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BatchBuilder } from "../src/batch-builder.ts";
import { decodeColumns, encodeColumns } from "../src/columns.ts";
import { LIMITS } from "../src/limits.ts";
import { records, toColumns } from "./arbitraries.ts";

const LF = 0x0a;

function addLine(builder: BatchBuilder, bodyBytes: number, attributes?: Record<string, string>) {
  const end = builder.bodiesBytes + bodyBytes;
  builder.buffer.fill(0x78, builder.bodiesBytes, end);
  builder.buffer[end] = LF;
  return builder.add(end, 1, 9, attributes);
}

test("a reused builder makes the very bytes that the reference encoder makes", () => {
  const builder = new BatchBuilder();
  fc.assert(
    fc.property(records, (list) => {
      const columns = toColumns(list);
      builder.reset();
      builder.buffer.set(columns.bodies);
      list.forEach((record, i) => {
        const end = columns.bodyOffsets[i + 1]! - 1;
        expect(builder.add(end, record.timeUs, record.severity, record.attributes)).toBe(true);
      });
      if (list.some(({ body }) => body.includes(LF))) builder.keepLengths();
      expect(builder.minTimeUs).toBe(Math.min(...columns.timesUs));
      expect(builder.maxTimeUs).toBe(Math.max(...columns.timesUs));
      expect(builder.maxSeverity).toBe(Math.max(...columns.severities));
      const { payloadBytes } = builder;
      expect(builder.finish()).toEqual(encodeColumns(columns));
      expect(payloadBytes).toBe(encodeColumns(columns).length);
    }),
  );
});

test("a batch takes lines up to its limit in bytes, and the line that is too much stays outside", () => {
  const builder = new BatchBuilder();
  for (let i = 0; i < 4; i++) expect(addLine(builder, LIMITS.recordBytes - 1)).toBe(true);
  expect(builder.bodiesBytes).toBe(LIMITS.batchRawBytes);
  expect(addLine(builder, 0)).toBe(false);
  expect(builder.count).toBe(4);
  expect(decodeColumns(builder.finish(), 4).ok).toBe(true);
});

test("an empty batch has room for the longest record with the largest attributes", () => {
  const builder = new BatchBuilder();
  const attributes = { k: "v".repeat(LIMITS.recordAttributesBytes - 5) };
  expect(addLine(builder, LIMITS.recordBytes, attributes)).toBe(true);
  expect(decodeColumns(builder.finish(), 1).ok).toBe(true);
});

test("a batch takes records up to its limit in number", () => {
  const builder = new BatchBuilder();
  for (let i = 0; i < LIMITS.batchRecords; i++) addLine(builder, 0);
  expect(builder.count).toBe(LIMITS.batchRecords);
  expect(addLine(builder, 0)).toBe(false);
  expect(decodeColumns(builder.finish(), LIMITS.batchRecords).ok).toBe(true);
});

test("a batch takes attributes up to their limit", () => {
  const builder = new BatchBuilder();
  const attributes = { k: "v".repeat(LIMITS.recordAttributesBytes - 5) };
  let added = 0;
  while (addLine(builder, 0, attributes)) added++;
  expect(added).toBe(15);
  const decoded = decodeColumns(builder.finish(), added);
  expect(decoded.ok && decoded.value.attributes?.[14]).toEqual(attributes);
});

test("a record that does not fit leaves the batch as it was", () => {
  const builder = new BatchBuilder();
  const full = { k: "v".repeat(LIMITS.recordAttributesBytes - 5) };
  while (addLine(builder, 0, full));
  const { count } = builder;
  expect(addLine(builder, 3)).toBe(true);
  expect(decodeColumns(builder.finish(), count + 1).ok).toBe(true);
});

test.each<[string, (builder: BatchBuilder) => unknown]>([
  ["a body without its LF", (builder) => builder.add(0, 1, 9)],
  ["a body that ends before it begins", (builder) => builder.add(-1, 1, 9)],
  ["a body longer than a record may be", (builder) => addLine(builder, LIMITS.recordBytes + 1)],
  ["a time that is no integer", (builder) => builder.add(0, NaN, 9)],
  ["a severity above 24", (builder) => builder.add(0, 1, 25)],
  ["too many attributes", (builder) => addLine(builder, 0, manyAttributes())],
  ["attributes too large", (builder) => addLine(builder, 0, { k: "v".repeat(70_000) })],
  ["an empty batch", (builder) => builder.finish()],
])("misuse throws: %s", (_, misuse) => {
  const builder = new BatchBuilder();
  builder.buffer.fill(0x78, 0, 16);
  expect(() => misuse(builder)).toThrow(RangeError);
});

function manyAttributes(): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: LIMITS.recordAttributes + 1 }, (_, i) => [`k${i}`, ""]),
  );
}
