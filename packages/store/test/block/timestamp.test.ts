import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elidesWord } from "../../src/block/layout-word.ts";
import { bodiesOf, decoded } from "./decoded.ts";
import { line, runOf, runs, writeTime } from "./runs.ts";

const START_US = 1_764_165_599_123_000;

/** Lines of one writer, a second and a bit apart. */
function lines(writer: number, zoneMinutes = 0, count = 100) {
  return Array.from({ length: count }, (_, i) => {
    const time = START_US + i * 1_001_000;
    return line(
      `${writeTime(writer, time, zoneMinutes)} host app: ${i % 2 === 0 ? "done" : "failed"}`,
      time,
    );
  });
}

function lowerLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("latin1")
    .replaceAll(/[A-Z]/g, (capital) => capital.toLowerCase());
}

function wordsIn(text: string): string[] {
  return text.match(/[\w\u0080-\u00ff]+/g) ?? [];
}

function occurrences(text: string, piece: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + 1)) count++;
  return count;
}

describe("the text of a block", () => {
  test.each([
    ["RFC 3339", 0, [0]],
    ["RFC 3339 with microseconds", 1, [0, 330]],
    ["ISO with a comma", 3, [0, 330, -480]],
    ["ISO without a fraction", 4, [0, 330, -480]],
    ["RFC 3164", 5, [0, 330, -480]],
    ["the common log format", 6, [0, 330, -480]],
    ["Apache's error log", 7, [0, 330, -480]],
    ["HDFS", 8, [0, 330, -480]],
    ["Android", 9, [0, 330, -480]],
    ["epoch seconds", 10, [0]],
    ["epoch milliseconds", 11, [0]],
    ["HealthApp", 12, [0, 330, -480]],
  ])("has no timestamps such as %s writes them, in any zone", (_, writer, zones) => {
    for (const zone of zones) {
      const { text } = decoded([runOf(lines(writer, zone))]);
      expect(text.bytes.toString()).not.toMatch(/\d/);
    }
  });

  test("has no timestamps of nanoseconds, with and without trailing zeros", () => {
    const list = lines(0).map(({ timeUs }, i) => {
      const nanos = i % 3 === 0 ? "7" : String(100 + i);
      const stamp = writeTime(0, timeUs).replace("Z", `000${nanos}Z`);
      return line(`${stamp} stdout F x`, timeUs);
    });
    const { index, text } = decoded([runOf(list)]);
    expect(text.bytes.toString()).not.toMatch(/\d/);
    expect(elidesWord(index, "1230007z")).toBe(true);
    expect(elidesWord(index, "124000101z")).toBe(true);
    expect([...text.recordsTouching(Buffer.from("000101Z"), false)]).toEqual([1]);
  });

  test("has digits beyond nanoseconds as they are, and all of the fraction with them", () => {
    const list = lines(0).map(({ timeUs }) =>
      line(`${writeTime(0, timeUs).replace("Z", "0001234Z")} x`, timeUs),
    );
    expect(decoded([runOf(list)]).text.bytes.toString()).toContain("\u00011230001234Z x");
  });

  test("has a timestamp of its own where the record's time is another", () => {
    const list = lines(0).map((record) => ({ ...record, timeUs: record.timeUs + 1000 }));
    expect(decoded([runOf(list)]).text.bytes.toString()).toContain("2025-11-26T");
  });

  test("has the timestamp of one line that is written otherwise than all others", () => {
    const list = lines(0);
    const odd = { ...list[50]!, body: Buffer.from(`${writeTime(3, list[50]!.timeUs)} x`) };
    const { text } = decoded([runOf(list.with(50, odd))]);
    expect(text.bytes.toString().match(/2025/g)).toEqual(["2025"]);
  });

  test("has no timestamps of runs that are written in several ways and zones", () => {
    const { text } = decoded([
      runOf(lines(5, 60), 1),
      runOf(lines(0), 2),
      runOf(lines(6, -300), 3),
    ]);
    expect(text.bytes.toString()).not.toMatch(/20\d\d/);
  });

  test("has no part of a word whose rest is a timestamp", () => {
    const list = lines(0).map((record) => ({
      ...record,
      body: Buffer.from(Buffer.from(record.body).toString().replace("Z ", "Zone ")),
    }));
    expect(decoded([runOf(list)]).text.bytes.toString()).toContain("Zone");
    expect(decoded([runOf(list)]).index.layouts).toEqual([]);
  });
});

describe("what a block says of what its text does not have", () => {
  test("each word of a body is in its text or said to be elided", () => {
    fc.assert(
      fc.property(runs, (list) => {
        const { index, text } = decoded(list);
        const kept = new Set(wordsIn(lowerLatin1(text.bytes)));
        for (const body of bodiesOf(list))
          for (const word of wordsIn(lowerLatin1(body)))
            if (!kept.has(word)) expect([word, elidesWord(index, word)]).toEqual([word, true]);
      }),
      { numRuns: 300 },
    );
  });

  const pieces = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 14 })), {
    minLength: 5,
    maxLength: 20,
  });

  test("its text has every occurrence of what is said not to touch a timestamp", () => {
    fc.assert(
      fc.property(runs, pieces, fc.boolean(), (list, cuts, anyCase) => {
        const { text } = decoded(list);
        const all = bodiesOf(list);
        for (const [record, place, length] of cuts) {
          const body = all[record % all.length]!;
          const piece = body.subarray(place % (body.length + 1)).subarray(0, length);
          if (piece.length === 0 || text.mayTouchTimestamp(piece, anyCase)) continue;
          const fold = anyCase ? lowerLatin1 : (bytes: Buffer) => bytes.toString("latin1");
          const wanted = all.reduce((sum, one) => sum + occurrences(fold(one), fold(piece)), 0);
          expect(occurrences(fold(text.bytes), fold(piece))).toBeGreaterThanOrEqual(wanted);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a body that holds a text has it in the block's text or is among those it may touch", () => {
    fc.assert(
      fc.property(runs, pieces, fc.boolean(), (list, cuts, anyCase) => {
        const { text } = decoded(list);
        const all = bodiesOf(list);
        const fold = anyCase ? lowerLatin1 : (bytes: Buffer) => bytes.toString("latin1");
        for (const [record, place, length] of cuts) {
          const body = all[record % all.length]!;
          const piece = body.subarray(place % (body.length + 1)).subarray(0, length);
          if (piece.length === 0) continue;
          const touching = text.recordsTouching(piece, anyCase);
          if (touching.length > 0) expect(text.mayTouchTimestamp(piece, anyCase)).toBe(true);
          const found = new Set(touching);
          const bytes = fold(text.bytes);
          for (
            let at = bytes.indexOf(fold(piece));
            at >= 0;
            at = bytes.indexOf(fold(piece), at + 1)
          )
            found.add(text.recordAt(at));
          all.forEach((one, i) => {
            if (fold(one).includes(fold(piece))) expect([i, found.has(i)]).toEqual([i, true]);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  test("only the records whose timestamps hold a text are said to touch it", () => {
    const { text } = decoded([runOf(lines(0, 0, 30))]);
    expect([...text.recordsTouching(Buffer.from("T13:59"), false)]).toEqual([0]);
    expect([...text.recordsTouching(Buffer.from("00:05.129Z host"), false)]).toEqual([6]);
    expect([...text.recordsTouching(Buffer.from("host app"), false)]).toEqual([]);
    expect(text.recordsTouching(Buffer.from("2025"), false)).toHaveLength(30);
  });

  test.each([
    ["2025", true],
    ["11", true],
    ["26", true],
    ["45", false],
    ["26t13", true],
    ["26t12", false],
    ["59", true],
    ["123z", true],
    ["124z", true],
    ["999z", false],
    ["z", false],
    ["done", false],
  ])("says of the word %s: %s", (word, elided) => {
    const { index } = decoded([runOf(lines(0, 0, 30))]);
    expect(elidesWord(index, word)).toBe(elided);
  });

  test.each([
    ["done", false],
    ["host app", false],
    ["Z host", true],
    ["x host", false],
    ["2025-11", true],
    ["2024-11", false],
    ["T15:", false],
    ["T13:59", true],
    ["t13:59", false],
    ["10.0.0.1", false],
    ["5", true],
    ["[2025", true],
    ["x2025", false],
    ["\n2025", true],
  ])("says whether %j may touch a timestamp: %s", (text, touches) => {
    const list = lines(0, 0, 30);
    expect(decoded([runOf(list)]).text.mayTouchTimestamp(Buffer.from(text), false)).toBe(touches);
  });

  test("minds no case where it does not matter", () => {
    const { text } = decoded([runOf(lines(0, 0, 30))]);
    expect(text.mayTouchTimestamp(Buffer.from("t13:59"), true)).toBe(true);
  });
});
