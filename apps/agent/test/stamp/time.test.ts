import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Stamper } from "../../src/stamp/stamper.ts";
import { READ_AT_US, stamp, stampWith, us } from "./stamping.ts";

const NOV_22 = us("2026-11-22T08:00:01Z");

describe("a time at the start of a line", () => {
  test.each([
    // RFC 3339 and ISO 8601
    ["2026-11-22T08:00:01Z", NOV_22],
    ["2026-11-22t08:00:01z", NOV_22],
    ["2026-11-22T08:00:01.5Z", NOV_22 + 500_000],
    ["2026-11-22T08:00:01.123456Z", NOV_22 + 123_456],
    ["2026-11-22T08:00:01.000001Z", NOV_22 + 1],
    ["2026-11-22T08:00:01.123456789Z", NOV_22 + 123_456],
    ["2026-11-22T08:00:01,123Z", NOV_22 + 123_000],
    ["2026-11-22T09:00:01+01:00 host", NOV_22],
    ["2026-11-22T09:00:01.25+0100 host", NOV_22 + 250_000],
    ["2026-11-22T01:30:01-06:30", NOV_22],
    ["2026-11-22 08:00:01+00", NOV_22],
    ["2026-11-22 08:00:01.123 UTC [12] LOG:", NOV_22 + 123_000],
    ["2026-11-22 09:00:01 +0100 message", NOV_22],
    ["2026-11-22 08:00:01 -5 items", NOV_22],
    ["2026-11-22 08:00:01 +9999 points", NOV_22],
    ["2026-11-22 08:00:01", NOV_22],
    ["2026-11-22 08:00:01, Info  CBS", NOV_22],
    ["2026-11-22 08:00:01. Then", NOV_22],
    ["2026-11-22 08:00:01-INFO", NOV_22],
    ["2015-10-18 18:01:47,978 INFO [main]", us("2015-10-18T18:01:47.978Z")],
    ["2024-02-29T00:00:00Z", us("2024-02-29T00:00:00Z")],
    ["2026-12-31T23:59:60Z", us("2027-01-01T00:00:00Z")],
    ["1970-01-01T00:00:00Z", 0],
    ["2254-12-31T23:59:59.999999Z", us("2254-12-31T23:59:59.999Z", 999)],
    ["2026/11/22 08:00:01 [error] 12#0:", NOV_22],
    ["2026/11/22 08:00:01.654321 main.go:1", NOV_22 + 654_321],
    // RFC 3164, logcat, glog: no year
    ["Nov 22 08:00:01 host sshd[1]: x", NOV_22],
    ["Nov 22 08:00:01.123 host", NOV_22 + 123_000],
    ["Jun  9 06:06:20 combo", us("2026-06-09T06:06:20Z")],
    ["Jun 9 06:06:20 combo", us("2026-06-09T06:06:20Z")],
    ["Feb 29 01:02:03 combo", us("2024-02-29T01:02:03Z")],
    ["03-17 16:13:38.811  1702  2395 D X", us("2026-03-17T16:13:38.811Z")],
    ["E1122 08:00:01.000002 12 a.cc:1]", NOV_22 + 2],
    // Two digits of the year, compact, Apache
    ["17/06/09 20:10:40 INFO x", us("2017-06-09T20:10:40Z")],
    ["81/06/09 20:10:40 INFO x", us("1981-06-09T20:10:40Z")],
    ["081109 203615 148 INFO x", us("2008-11-09T20:36:15Z")],
    ["[Sun Dec 04 04:47:44 2005] [notice]", us("2005-12-04T04:47:44Z")],
    ["[Sun Dec  4 04:47:44.000123 2005] [x]", us("2005-12-04T04:47:44Z", 123)],
    ['10.1.2.3 - bob [10/Oct/2000:13:55:36 -0700] "GET', us("2000-10-10T20:55:36Z")],
    ["[10/Oct/2000:13:55:36 -0700] GET", us("2000-10-10T20:55:36Z")],
    // Since the epoch
    ["1700000000 x", 1_700_000_000_000_000],
    ["1700000000.25 x", 1_700_000_000_250_000],
    ["1700000000.1234567 x", 1_700_000_000_123_456],
    ["1700000000123 x", 1_700_000_000_123_000],
    ["1700000000123456", 1_700_000_000_123_456],
    // What may stand before it
    ["<34>Nov 22 08:00:01 host su: x", NOV_22],
    ["<34>1 2026-11-22T08:00:01.003Z host su - x", NOV_22 + 3000],
    ["[2026-11-22T08:00:01,123][INFO ]", NOV_22 + 123_000],
    ["   2026-11-22T08:00:01Z", NOV_22],
    ["- 1131566461 2005.11.09 dn228", 1_131_566_461_000_000],
    ["time=2026-11-22T08:00:01.5Z level=INFO", NOV_22 + 500_000],
    ['ts="2026-11-22T08:00:01Z" level=info', NOV_22],
    ["nova-api.log.1 2026-11-22 08:00:01.008 25746 INFO", NOV_22 + 8000],
    ["web_1  | 2026-11-22T08:00:01Z up", NOV_22],
  ])("%s", (text, expected) => {
    expect(stamp(text).timeUs).toBe(expected);
  });

  test.each([
    "",
    " ",
    "[",
    "2",
    "2026-11-22",
    "2026-11-22T08:00",
    "2026-11-22T08:00:0",
    "2026-11-22T08:00:011Z",
    "2026-02-30T08:00:01Z",
    "2025-02-29T08:00:01Z",
    "2100-02-29T08:00:01Z",
    "2026-13-01T08:00:01Z",
    "2026-00-01T08:00:01Z",
    "2026-11-00T08:00:01Z",
    "2026-11-22T24:00:00Z",
    "2026-11-22T25:00:00Z",
    "2026-11-22T08:60:01Z",
    "2026-11-22T08:00:61Z",
    "2026-11-22T08:00:01+24:00",
    "2026-11-22T08:00:01+01:60",
    "2026-11-22T08:00:01.1234567890Z",
    "2026-11-22X08:00:01Z",
    "2026-11/22 08:00:01",
    "1969-12-31T23:59:59Z",
    "2255-01-01T00:00:00Z",
    "Nov 31 08:00:01 host",
    "Nov 22 8:00:01 host",
    "Now 22 08:00:01 host",
    "13-17 16:13:38.811",
    "17/13/09 20:10:40",
    "081109 253615 x",
    "[Sun Dec 04 04:47:44] [notice]",
    "[10/Oct/2000:25:55:36 -0700]",
    "170000000 nine digits",
    "17000000000 eleven digits",
    "1700000000abc",
    "9999999999 after 2100",
    "1.5 seconds",
    "connection at 2026-11-22T08:00:01Z is not its own time",
    "expires 2026-11-26T08:00:01Z",
    "{2026-11-22T08:00:01Z}",
    "<192>",
    "<",
  ])("is not found in %j", (text) => {
    expect(stamp(text)).toMatchObject({ timeUs: undefined });
  });

  test("is the reading time where the line has none", () => {
    const stamper = new Stamper({ zone: 0 });
    stampWith(stamper, "2026-11-22T08:00:01Z first");
    stampWith(stamper, "  at foo.bar(Foo.java:12)", 42);
    expect(stamper.timeUs).toBe(42);
    expect(stamper.timed).toBe(false);
  });

  test("agrees with Date.parse on any RFC 3339 text", () => {
    const digits = (limit: number): fc.Arbitrary<string> =>
      fc.nat(limit).map((value) => String(value).padStart(2, "0"));
    fc.assert(
      fc.property(
        fc.integer({ min: 1971, max: 2253 }),
        fc.integer({ min: 0, max: 366 * 86_400 - 1 }),
        fc.nat(999_999),
        fc.oneof(
          fc.constant("Z"),
          fc
            .tuple(fc.constantFrom("+", "-"), digits(23), digits(59))
            .map(([sign, hours, minutes]) => `${sign}${hours}:${minutes}`),
        ),
        (year, second, fractionUs, zone) => {
          const wall = new Date(Date.UTC(year, 0, 1) + second * 1000).toISOString().slice(0, 19);
          const text = `${wall}.${String(fractionUs).padStart(6, "0")}${zone}`;
          expect(stamp(text).timeUs).toBe(Date.parse(`${wall}${zone}`) * 1000 + fractionUs);
        },
      ),
    );
  });

  test("agrees with Date.parse on whether a date exists", () => {
    const part = fc.nat(99).map((value) => String(value).padStart(2, "0"));
    fc.assert(
      fc.property(
        fc.integer({ min: 1970, max: 2254 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        part,
        (year, month, day, hour) => {
          const pad = (value: number): string => String(value).padStart(2, "0");
          const date = `${year}-${pad(month)}-${pad(day)}`;
          // Date.parse rolls 30 February over and takes 24:00:00, which RFC 3339 does not allow.
          const exists =
            Number(hour) < 24 &&
            !Number.isNaN(Date.parse(date)) &&
            new Date(date).toISOString().startsWith(date);
          expect(stamp(`${date}T${hour}:00:00Z`).timeUs !== undefined).toBe(exists);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the year of a time without one", () => {
  const day = 86_400_000_000;
  test.each([
    ["Dec 31 23:59:59 h", "2027-01-01T00:00:05Z", "2026-12-31T23:59:59Z"],
    ["Jan  1 00:00:01 h", "2026-12-31T23:59:50Z", "2027-01-01T00:00:01Z"],
    ["Jan  1 12:00:00 h", "2026-12-31T12:00:00Z", "2027-01-01T12:00:00Z"],
    ["Jan  1 12:00:01 h", "2026-12-31T12:00:00Z", "2026-01-01T12:00:01Z"],
    ["Nov 25 12:00:00 h", "2026-11-24T12:00:00Z", "2026-11-25T12:00:00Z"],
    ["Nov 25 12:00:00.000001 h", "2026-11-24T12:00:00Z", "2025-11-25T12:00:00Z"],
    ["Feb 29 12:00:00 h", "2028-02-28T12:00:00Z", "2028-02-29T12:00:00Z"],
    ["Feb 29 12:00:00 h", "2028-02-27T12:00:00Z", "2024-02-29T12:00:00Z"],
    ["Feb 29 12:00:00 h", "2104-02-28T11:00:00Z", "2096-02-29T12:00:00Z"],
  ])("of %s read at %s makes it %s", (text, readAt, expected) => {
    const found = stamp(text, us(readAt)).timeUs ?? 0;
    expect(Math.floor(found / 1000)).toBe(Date.parse(expected));
  });

  test("is the latest that is no more than a day ahead, whatever was read before", () => {
    const stamper = new Stamper({ zone: 0 });
    fc.assert(
      fc.property(
        fc.nat(366 * 86_400 - 1),
        fc.integer({ min: -3 * 86_400, max: 800 * 86_400 }),
        fc.constantFrom(0, 1),
        (second, laterSeconds, extraUs) => {
          const written = Date.UTC(2027, 0, 1) + second * 1000;
          const [, date, month, , clock] = new Date(written).toUTCString().split(" ");
          const readAtUs = (written + laterSeconds * 1000) * 1000 - extraUs;
          const found = stampWith(stamper, `${month} ${date} ${clock} h`, readAtUs).timeUs ?? NaN;
          expect(found - readAtUs).toBeLessThanOrEqual(day);
          expect(new Date(found / 1000).toUTCString().slice(17)).toBe(`${clock} GMT`);
          if (month !== "Feb" || date !== "29") {
            expect(found - readAtUs).toBeGreaterThan(-366 * day);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a time without a zone", () => {
  const hostZone = process.env["TZ"];
  beforeEach(() => {
    process.env["TZ"] = "Europe/Berlin";
  });
  afterEach(() => {
    if (hostZone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = hostZone;
  });

  test.each([
    ["2026-11-22 08:00:01", "2026-11-22T07:00:01Z"],
    ["2026-07-22 08:00:01", "2026-07-22T06:00:01Z"],
    ["2026-03-29 01:59:59", "2026-03-29T00:59:59Z"],
    ["2026-03-29 03:00:00", "2026-03-29T01:00:00Z"],
    ["2026-10-25 01:59:59", "2026-10-24T23:59:59Z"],
    ["2026-10-25 02:30:00", "2026-10-25T00:30:00Z"],
    ["2026-10-25 03:00:00", "2026-10-25T02:00:00Z"],
    ["Jul 22 08:00:01 host", "2026-07-22T06:00:01Z"],
    ["2026-07-22T08:00:01Z", "2026-07-22T08:00:01Z"],
  ])("is the host's, summer and winter: %s is %s", (text, expected) => {
    expect(stampWith(new Stamper(), text).timeUs).toBe(us(expected));
  });

  test("takes the offset it is given", () => {
    const found = stampWith(new Stamper({ zone: -330 }), "2026-11-22 08:00:01").timeUs;
    expect(found).toBe(us("2026-11-22T13:30:01Z"));
  });

  test.each([1440, -1440, 0.5, Number.NaN])("refuses the offset %d", (zone) => {
    expect(() => new Stamper({ zone })).toThrow(RangeError);
  });
});

describe("a JSON line", () => {
  test.each([
    ['{"ts":"2026-11-22T08:00:01.5Z"}', NOV_22 + 500_000],
    ['{"a":1,"time":"2026-11-22 08:00:01"}', NOV_22],
    ['{ "timestamp" : "Nov 22 08:00:01" }', NOV_22],
    ['{"@timestamp":"2026-11-22T08:00:01Z"}', NOV_22],
    ['{"ts":1700000000}', 1_700_000_000_000_000],
    ['{"ts":1700000000.123456}', 1_700_000_000_123_456],
    ['{"time":1700000000123,"x":1}', 1_700_000_000_123_000],
    ['{"time":1700000000123456}', 1_700_000_000_123_456],
    ['{"time":1700000000123456789}', 1_700_000_000_123_456],
    ['{"time":"1700000000123"}', 1_700_000_000_123_000],
    ['{"time":0.25,"ts":1700000000}', 1_700_000_000_000_000],
    ['{"x":{"ts":1600000000,"y":["}"]},"ts":1700000000}', 1_700_000_000_000_000],
    ['{"log":"a \\"ts\\": {","time":"2026-11-22T08:00:01Z"}', NOV_22],
    ['<14>{"ts":1700000000}', 1_700_000_000_000_000],
  ])("%s has the time of its field", (text, expected) => {
    expect(stamp(text).timeUs).toBe(expected);
  });

  test.each([
    "{",
    '{"ts"',
    '{"ts":',
    '{"ts":}',
    '{"ts":"',
    '{"ts":17e8}',
    '{"ts":1700000000.5e1}',
    '{"ts":{"time":1700000000}}',
    '{"ts":"soon"}',
    '{"ts":"2026-02-30T08:00:01Z"}',
    '{"x":["ts",1700000000]}',
    '{"x":"\\',
  ])("%s has none", (text) => {
    expect(stamp(text).timeUs).toBeUndefined();
  });
});

test("what a stamper says of a line does not depend on the lines before it", () => {
  const texts = [
    "2026-11-22T08:00:01.123456Z a",
    "2026-11-22T08:00:59.9+01:00 b",
    "2026-11-22 08:00:30 ERROR c",
    "2026-11-22T08:00:61Z",
    "2026-11-22T08:00:0",
    "2026-11-22T08:01:01Z d",
    "[2026-11-22T08:00:01] warn",
    "Nov 22 08:00:01 e",
    "Nov 22 08:00:59 f",
    "Nov 25 12:00:00 g",
    "Nov 25 12:00:01 h",
    "[Sun Dec 04 04:47:44 2005] [notice] i",
    "[Sun Dec 04 04:47:44 2011] [error] j",
    "host 2026-11-22 08:00:01 k",
    "host 2026-11-25 12:00:00 l",
    "host 2026-11-25 12:00:01 m",
    "1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] n",
    '{"time":"2026-11-22T08:00:01Z","level":"warn"}',
    '{"time":"Nov 22 08:00:01"}',
    "03-17 16:13:38.811  1702  2395 D o",
    "E1122 08:00:01.000002 12 a.cc:1]",
    "1700000000 INFO p",
    "<34>1 2026-11-22T08:00:01Z q",
    "no time at all, error",
    "",
  ];
  const shift = fc.constantFrom(0, 1, -1_000_000, 86_400_000_000, -86_400_000_000, 4e13, -4e13);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...texts), shift), { minLength: 2, maxLength: 12 }),
      (lines) => {
        const stamper = new Stamper({ zone: 0 });
        for (const [text, shiftUs] of lines) {
          const readAtUs = READ_AT_US + shiftUs;
          expect(stampWith(stamper, text, readAtUs)).toEqual(stamp(text, readAtUs));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("any bytes give a safe integer and a severity of 0 to 24", () => {
  const stamper = new Stamper();
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.constantFrom(
      "2026-11-22T08:00:01",
      "<34>",
      "[",
      "{",
      '"ts":',
      "Nov 22 08:00:01",
      "ERROR",
      " ",
      "=",
      "+01:",
      "1700000000",
      "10/Oct/2000:",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const line = Buffer.from(pieces.join(""), "latin1");
      stamper.stamp(line, 0, line.length, READ_AT_US);
      expect(Number.isSafeInteger(stamper.timeUs)).toBe(true);
      expect(Number.isInteger(stamper.severity)).toBe(true);
      expect(stamper.severity).toBeLessThanOrEqual(24);
    }),
    { numRuns: 5000 },
  );
});
