import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseTimeExpression } from "../src/time-expression.ts";
import { formatTimeRfc3339, timeUs } from "../src/time.ts";
import type { TimeUs, Zone } from "../src/time.ts";

const originalZone = process.env["TZ"];

beforeEach(() => {
  process.env["TZ"] = "Europe/Berlin";
});

afterEach(() => {
  if (originalZone === undefined) {
    delete process.env["TZ"];
  } else {
    process.env["TZ"] = originalZone;
  }
});

const NOW = at("2026-11-22T10:20:30.123456Z");

/** The moment of an RFC 3339 text, read without the code under test. */
function at(text: string): TimeUs {
  const [, whole = "", fraction = "", zone = ""] =
    /^(.{19})(?:\.(\d{6}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  return timeUs(Date.parse(whole + zone) * 1000 + Number(fraction));
}

function read(text: string, zone: Zone, nowUs: TimeUs = NOW): string {
  const result = parseTimeExpression(text, { nowUs, zone });
  return result.ok ? formatTimeRfc3339(result.value) : result.error;
}

describe("parseTimeExpression", () => {
  test.each([
    ["now", "2026-11-22T10:20:30.123456Z"],
    ["1h", "2026-11-22T09:20:30.123456Z"],
    ["2d", "2026-11-20T10:20:30.123456Z"],
    ["1h30m", "2026-11-22T08:50:30.123456Z"],
    ["today", "2026-11-22T00:00:00.000000Z"],
    ["Yesterday", "2026-11-21T00:00:00.000000Z"],
    ["yesterday 08:00", "2026-11-21T08:00:00.000000Z"],
    ["08:00", "2026-11-22T08:00:00.000000Z"],
    ["08:00:05.5", "2026-11-22T08:00:05.500000Z"],
    ["2026-11-22", "2026-11-22T00:00:00.000000Z"],
    ["2026-11-22 08:00", "2026-11-22T08:00:00.000000Z"],
    ["2026-11-22T08:00", "2026-11-22T08:00:00.000000Z"],
    ["2026-11-22 08:00:15.123456", "2026-11-22T08:00:15.123456Z"],
    ["2026-11-22 08:00:15,123", "2026-11-22T08:00:15.123000Z"],
    ["2026-11-22 08:00:15.123456999", "2026-11-22T08:00:15.123456Z"],
    ["2026-11-22T08:00:15Z", "2026-11-22T08:00:15.000000Z"],
    ["2026-11-22t08:00:15z", "2026-11-22T08:00:15.000000Z"],
    ["2026-11-22T08:00:15.000001+05:30", "2026-11-22T02:30:15.000001Z"],
    ["2026-11-22 08:00-0330", "2026-11-22T11:30:00.000000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000000Z"],
    ["@1732270000", "2024-11-22T10:06:40.000000Z"],
    ["@1732270000.5", "2024-11-22T10:06:40.500000Z"],
    ["@-12.5", "1969-12-31T23:59:47.500000Z"],
    ["1700-01-01 00:00:00.000001", "1700-01-01T00:00:00.000001Z"],
    ["2254-12-31 23:59:59.999999", "2254-12-31T23:59:59.999999Z"],
  ])("reads %s in UTC as %s", (text, expected) => {
    expect(read(text, "utc")).toBe(expected);
  });

  test.each([
    ["today", "2026-11-21T23:00:00.000000Z"],
    ["yesterday", "2026-11-20T23:00:00.000000Z"],
    ["08:00", "2026-11-22T07:00:00.000000Z"],
    ["2026-07-01 08:00", "2026-07-01T06:00:00.000000Z"],
    ["2026-07-01T08:00:00Z", "2026-07-01T08:00:00.000000Z"],
    ["2026-03-29 02:30", "2026-03-29T01:30:00.000000Z"],
    ["2026-10-25 02:30", "2026-10-25T00:30:00.000000Z"],
    ["1h", "2026-11-22T09:20:30.123456Z"],
  ])("reads %s in the local zone as %s", (text, expected) => {
    expect(read(text, "local")).toBe(expected);
  });

  test("takes today and yesterday from the local calendar across midnight and a clock change", () => {
    const justPastLocalMidnight = at("2026-03-29T22:30:00Z");
    expect(read("today", "local", justPastLocalMidnight)).toBe("2026-03-29T22:00:00.000000Z");
    expect(read("yesterday", "local", justPastLocalMidnight)).toBe("2026-03-28T23:00:00.000000Z");
    expect(read("today", "utc", justPastLocalMidnight)).toBe("2026-03-29T00:00:00.000000Z");
  });

  test("takes yesterday back over the end of a year", () => {
    expect(read("yesterday", "utc", at("2026-01-01T00:00:00Z"))).toBe(
      "2025-12-31T00:00:00.000000Z",
    );
  });

  test.each([
    ["2026-02-29", "there is no day 2026-02-29"],
    ["2026-13-01", "there is no day 2026-13-01"],
    ["2026-00-10", "there is no day 2026-00-10"],
    ["24:00", "there is no time 24:00"],
    ["08:00:60", "there is no time 08:00:60"],
    ["2026-11-22T08:00:00+24:00", "there is no offset +24:00"],
    ["1683-01-01", "the time is out of range (years 1684 to 2255)"],
    ["0026-11-22", "the time is out of range (years 1684 to 2255)"],
    ["9999-01-01", "the time is out of range (years 1684 to 2255)"],
    ["2255-12-31", "the time is out of range (years 1684 to 2255)"],
    ["@999999999999", "the time is out of range (years 1684 to 2255)"],
    ["1000000d", "the time is out of range (years 1684 to 2255)"],
  ])("refuses %s: %s", (text, error) => {
    expect(read(text, "utc")).toBe(error);
  });

  test.each([
    "",
    "soon",
    "8:00",
    "2026-1-1",
    "2026-11-22Z",
    "@",
    "@12.",
    "-1h",
    "08:00 2026-11-22",
  ])("refuses %j with examples", (text) => {
    expect(read(text, "utc")).toMatch(/^expected a time such as /);
  });

  test.each(["08:00Z", "today 08:00+01:00"])("refuses %s, an offset without a date", (text) => {
    expect(read(text, "utc")).toMatch(/an offset needs a date and a time before it$/);
  });
});

describe("formatTimeRfc3339", () => {
  test.each([
    ["2026-11-22T08:00:00.123456Z", "utc", "2026-11-22T08:00:00.123456Z"],
    ["2026-11-22T08:00:00Z", "utc", "2026-11-22T08:00:00.000000Z"],
    ["2026-11-22T08:00:00.123456Z", "local", "2026-11-22T09:00:00.123456+01:00"],
    ["2026-07-22T08:00:00.000001Z", "local", "2026-07-22T10:00:00.000001+02:00"],
    ["1969-12-31T23:59:59.999999Z", "utc", "1969-12-31T23:59:59.999999Z"],
  ] as const)("prints %s, %s, as %s", (time, zone, expected) => {
    expect(formatTimeRfc3339(at(time), zone)).toBe(expected);
  });

  test("prints an offset west of Greenwich and one with half an hour", () => {
    process.env["TZ"] = "America/St_Johns";
    expect(formatTimeRfc3339(at("2026-01-22T08:00:00Z"), "local")).toBe(
      "2026-01-22T04:30:00.000000-03:30",
    );
  });

  test("is read back exactly in both zones, over all the times there are", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.constantFrom<Zone>("utc", "local"), (us, zone) => {
        const result = parseTimeExpression(formatTimeRfc3339(timeUs(us), zone), {
          nowUs: NOW,
          zone: "utc",
        });
        expect(result).toEqual({ ok: true, value: us });
      }),
      { numRuns: 1000 },
    );
  });

  test("sorts as the times do", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => {
        const texts = [formatTimeRfc3339(timeUs(a)), formatTimeRfc3339(timeUs(b))] as const;
        expect(texts[0] < texts[1]).toBe(a < b);
      }),
    );
  });
});

test.each([0.5, 2 ** 53, Number.NaN])("timeUs throws for %d", (us) => {
  expect(() => timeUs(us)).toThrow(RangeError);
});
