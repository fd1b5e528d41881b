import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBlock } from "../../src/block/block-encoder.ts";
import { bodiesOf, decoded } from "./decoded.ts";
import { line, runOf, runs, toRecords, writeTime } from "./runs.ts";

describe("a block", () => {
  test("renders any runs back exactly", () => {
    fc.assert(
      fc.property(runs, fc.constantFrom(1, 3, 6, 9), (list, level) => {
        const { index, text } = decoded(list, level);
        expect(toRecords(text.columns(0, index.count))).toEqual(
          list.flatMap((run) => toRecords(run.columns)),
        );
        expect(index.arrivals).toEqual(list.flatMap((run) => run.arrivals));
        expect([...index.seqs]).toEqual(list.flatMap((run) => [...run.seqs]));
        expect(index.runs.map(({ streamId, count }) => ({ streamId, count }))).toEqual(
          list.map(({ streamId, columns }) => ({ streamId, count: columns.count })),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("tells times and severities without its content", () => {
    fc.assert(
      fc.property(runs, (list) => {
        const { index } = decoded(list);
        const records = list.flatMap((run) => toRecords(run.columns));
        expect([...index.timesUs]).toEqual(records.map(({ timeUs }) => timeUs));
        expect([...index.severities]).toEqual(records.map(({ severity }) => severity));
      }),
    );
  });

  test("gives any of its records by index", () => {
    fc.assert(
      fc.property(runs, fc.infiniteStream(fc.boolean()), (list, picks) => {
        const { index, text } = decoded(list);
        const all = list.flatMap((run) => toRecords(run.columns));
        const indices = all.map((_, i) => i).filter(() => picks.next().value === true);
        if (indices.length === 0) indices.push(index.count - 1);
        expect(toRecords(text.gather(indices))).toEqual(indices.map((i) => all[i]));
      }),
    );
  });

  test("tells which record a byte of its text is of", () => {
    fc.assert(
      fc.property(runs, (list) => {
        const { index, text } = decoded(list);
        const all = bodiesOf(list);
        let place = 0;
        for (const record of index.order.recordOf) {
          expect(text.recordAt(place)).toBe(record);
          const feeds = (all[record] ?? Buffer.alloc(0)).filter((byte) => byte === 0x0a).length;
          for (let i = 0; i <= feeds; i++) place = text.bytes.indexOf(0x0a, place) + 1;
          expect(text.recordAt(place - 1)).toBe(record);
        }
        expect(place).toBe(text.bytes.length);
      }),
    );
  });

  test("gives its text as it is before compression", () => {
    fc.assert(
      fc.property(runs, (list) => {
        expect(decoded(list).text.bytes.equals(encodeBlock(list, 3).text)).toBe(true);
      }),
    );
  });

  test("counts bodies, their LFs and their attributes as what its records were", () => {
    const record = { ...line("12345"), attributes: { ab: "c" } };
    // Two varints and three bytes of text.
    expect(encodeBlock([runOf([record, line("1")])], 3).rawBytes).toBe(6 + 2 + 5);
  });

  test("takes lines of more than a batch may hold", () => {
    const list = Array.from({ length: 70_000 }, (_, i) => line(`${i % 7}`, i));
    const { index, text } = decoded([runOf(list)]);
    expect(index.count).toBe(70_000);
    expect(toRecords(text.columns(69_999, 70_000))).toEqual([list.at(-1)]);
  });

  test("leaves the text alone where no control byte is free to mark a timestamp", () => {
    const every = String.fromCharCode(...Array.from({ length: 32 }, (_, i) => i));
    const time = 1_764_165_599_000_000;
    const list = [line(`${writeTime(0, time)} ${every}`, time)];
    const { index, text } = decoded([runOf(list)]);
    expect(index.layouts).toEqual([]);
    expect(toRecords(text.columns(0, 1))).toEqual(list);
  });

  test.each([
    [
      "without records",
      [{ ...runOf([line("")]), columns: { ...runOf([line("")]).columns, count: 0 } }],
    ],
    ["without runs", []],
    ["with arrivals of other records", [{ ...runOf([line("")]), arrivals: [] }]],
    [
      "whose sequence numbers do not ascend",
      [{ ...runOf([line(""), line("")]), seqs: Float64Array.of(1, 1) }],
    ],
    ["of fractions of microseconds", [runOf([line("", 0.5)])]],
    ["of no time", [runOf([line("", NaN)])]],
  ])("throws for runs %s", (_, list) => {
    expect(() => encodeBlock(list, 3)).toThrow(RangeError);
  });
});
