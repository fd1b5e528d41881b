import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { durationMs, formatDuration, parseDuration } from "../src/duration.ts";

const DAY_MS = 86_400_000;

describe("parseDuration", () => {
  test.each([
    ["500ms", 500],
    ["90s", 90_000],
    ["15m", 900_000],
    ["1h30m", 5_400_000],
    ["1h 30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["1.1h", 3_960_000],
    ["7d", 7 * DAY_MS],
    ["2w", 14 * DAY_MS],
    ["1w1d1h1m1s1ms", 8 * DAY_MS + 3_661_001],
    ["0s", 0],
    [" 30d ", 30 * DAY_MS],
    ["250 ms", 250],
  ])("reads %s as %i ms", (text, expected) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: expected });
  });

  test.each(["", "7", "d", "7 days", "-1h", "1h-", "1.h", ".5h", "1e3s", "7D", "1h,30m", "١s"])(
    "refuses %j with an example",
    (text) => {
      expect(parseDuration(text)).toEqual({
        ok: false,
        error: "expected a duration such as 7d or 1h30m",
      });
    },
  );

  test.each(["30m1h", "1h1h", "1ms1s"])("refuses %s, whose units do not descend", (text) => {
    expect(parseDuration(text)).toEqual({
      ok: false,
      error: "expected a duration such as 7d or 1h30m, with each unit once and the largest first",
    });
  });

  test("refuses what does not fit a safe integer of milliseconds", () => {
    expect(parseDuration("104249991d").ok).toBe(true);
    expect(parseDuration("104249992d").ok).toBe(false);
  });

  test("answers at once for a long hostile text", () => {
    expect(parseDuration("1d ".repeat(1_000_000)).ok).toBe(false);
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0s"],
    [1, "1 ms"],
    [250, "250 ms"],
    [999, "999 ms"],
    [1000, "1s"],
    [1500, "1.5s"],
    [5_400_000, "1h 30m"],
    [3 * DAY_MS, "3d"],
    [14 * DAY_MS, "14d"],
    [DAY_MS + 1, "1d 0.001s"],
    [1.4, "1 ms"],
  ])("prints %d ms as %s", (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });

  test("is read back exactly", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("throws for %d", (ms) => {
    expect(() => formatDuration(ms)).toThrow(RangeError);
  });
});

test("durationMs takes whole milliseconds only", () => {
  expect(durationMs(5)).toBe(5);
  expect(() => durationMs(0.5)).toThrow(RangeError);
  expect(() => durationMs(-1)).toThrow(RangeError);
});
