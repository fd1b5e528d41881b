import { formatTimeRfc3339, timeUs } from "@sluice/quantity";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeBatch, MAX_TIME_US } from "@sluice/protocol";
import type { Match } from "../../src/search/match-finder.ts";
import type { StoredRun } from "../../src/search/run-catalog.ts";
import {
  parseRecordId,
  recordId,
  renderBodies,
  renderRows,
  toRow,
} from "../../src/search/row-writer.ts";
import { TimeText } from "../../src/search/time-text.ts";
import { batchFrame, type TestRecord } from "../frames.ts";

function matchesOf(records: readonly TestRecord[], host = "web-1", firstSeq = 0): Match[] {
  const frame = batchFrame({ epoch: 1, ordinal: 0, firstSeq }, records);
  const columns = decodeBatch(frame);
  if (!columns.ok) {
    throw new Error(columns.error.detail);
  }
  const receivedUs = 1_700_000_000_123_456;
  const { minTimeUs, maxTimeUs, rawBytes, count } = frame;
  const facts = { firstSeq, count, minTimeUs, maxTimeUs, severities: 1, bodyBytes: 0 };
  const run: StoredRun = {
    ...facts,
    key: "#1",
    place: { kind: "batch", entry: { ...facts, id: 1, streamId: 7, receivedUs, rawBytes } },
    stream: {
      streamId: 7,
      agentId: "a-1",
      host,
      source: '/var/log/"quoted"\\',
      generation: 1,
      labels: {},
      visibleFromUs: new Float64Array(25),
    },
    lastSeq: firstSeq + count - 1,
    firstReceivedUs: receivedUs,
    lastReceivedUs: receivedUs,
    firstBatch: 1,
    lastBatch: 1,
    severityCounts: undefined,
  };
  return records.map((_, index) => ({
    timeUs: columns.value.timesUs[index] ?? 0,
    seq: firstSeq + index,
    receivedUs,
    run,
    columns: columns.value,
    index,
  }));
}

const anyTimeUs = fc.oneof(
  fc.integer({ min: -MAX_TIME_US, max: MAX_TIME_US }),
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: 1_795_300_000_000_000, max: 1_795_300_002_000_000 }),
);

const anyBody = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => new Uint8Array(Buffer.from(text))),
  fc.uint8Array({ maxLength: 30 }),
  fc.constant(new Uint8Array(Buffer.from('two\nlines, a "quote", \u2028, \0 and \x1b[31m'))),
);

const anyRecord: fc.Arbitrary<TestRecord> = fc.record(
  {
    body: anyBody,
    timeUs: anyTimeUs,
    severity: fc.integer({ min: 0, max: 24 }),
    attributes: fc.dictionary(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 }),
      fc.string({ unit: "grapheme", maxLength: 5 }),
      { maxKeys: 3 },
    ),
  },
  { requiredKeys: ["body", "timeUs"] },
);

describe("rows as NDJSON", () => {
  it("are what JSON.stringify makes of each row, byte for byte", () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 20 }),
        fc.array(anyRecord, { minLength: 1, maxLength: 5 }),
        (first, second) => {
          const matches = [...matchesOf(first), ...matchesOf(second, "ü\n", 2 ** 52)];
          const expected = matches.map((match) => `${JSON.stringify(toRow(match))}\n`).join("");
          expect(Buffer.from(renderRows(matches)).toString()).toBe(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("of nothing are nothing", () => {
    expect(renderRows([])).toHaveLength(0);
  });
});

describe("bodies", () => {
  it("come back byte for byte, each with one LF, whatever they hold", () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat({ max: 19 }), { maxLength: 30 }),
        (records, picks) => {
          const matches = matchesOf(records);
          const picked = picks.filter((i) => i < records.length);
          const expected = picked.flatMap((i) => [
            Buffer.from(records[i]?.body ?? ""),
            Buffer.from("\n"),
          ]);
          const rendered = renderBodies(picked.flatMap((i) => matches[i] ?? []));
          expect(Buffer.from(rendered).equals(Buffer.concat(expected))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the text of a time", () => {
  it("is the one that every other surface prints", () => {
    fc.assert(
      fc.property(fc.array(anyTimeUs, { minLength: 1 }), (times) => {
        const text = new TimeText();
        for (const us of times) {
          expect(text.of(us)).toBe(formatTimeRfc3339(timeUs(us), "utc"));
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [0, "1970-01-01T00:00:00.000000Z"],
    [-1, "1969-12-31T23:59:59.999999Z"],
    [1_709_251_199_999_999, "2024-02-29T23:59:59.999999Z"],
    [1_709_251_200_000_000, "2024-03-01T00:00:00.000000Z"],
    [MAX_TIME_US, "2112-09-17T23:53:47.370495Z"],
    [-MAX_TIME_US, "1827-04-16T00:06:12.629505Z"],
  ])("of %i is %s", (us, expected) => {
    expect(new TimeText().of(us)).toBe(expected);
  });
});

describe("a record's id", () => {
  it("is read as it is written", () => {
    expect(parseRecordId(recordId(7, 2 ** 53 - 1))).toEqual({ streamId: 7, seq: 2 ** 53 - 1 });
  });

  it.each(["", "7", "7-", "-7", "7-x", "7-1-2", " 7-1", "7-1 ", "1e3-1", "7-9007199254740993"])(
    "is not read from %j",
    (text) => {
      expect(parseRecordId(text)).toBeUndefined();
    },
  );
});
