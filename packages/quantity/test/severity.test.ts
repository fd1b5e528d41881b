import { describe, expect, test } from "vitest";
import {
  parseLevel,
  parseLevelRange,
  SEVERITY_MAX,
  severityName,
  syslogSeverity,
} from "../src/severity.ts";

test("severityName gives four numbers to each level and 0 to unknown", () => {
  const names = Array.from({ length: SEVERITY_MAX + 1 }, (_, severity) => severityName(severity));
  const fourOf = (name: string): string[] => [name, name, name, name];
  expect(names).toEqual(
    ["unknown"].concat(...["trace", "debug", "info", "warn", "error", "fatal"].map(fourOf)),
  );
});

test.each([-1, 25, 1.5, Number.NaN])("severityName throws for %d", (severity) => {
  expect(() => severityName(severity)).toThrow(RangeError);
});

describe("parseLevel", () => {
  test.each([
    ["unknown", 0, 0],
    ["trace", 1, 4],
    ["debug", 5, 8],
    ["dbg", 5, 8],
    ["info", 9, 12],
    ["information", 9, 12],
    ["notice", 10, 10],
    ["warn", 13, 16],
    ["WARNING", 13, 16],
    ["error", 17, 20],
    ["err", 17, 20],
    ["crit", 18, 18],
    ["critical", 18, 18],
    ["alert", 19, 19],
    ["fatal", 21, 24],
    ["emerg", 21, 24],
    ["panic", 21, 24],
  ])("reads %s as %i to %i", (text, min, max) => {
    expect(parseLevel(text)).toEqual({ ok: true, value: { min, max } });
  });

  test("reads every name that severityName prints as a range that holds the number", () => {
    for (let severity = 0; severity <= SEVERITY_MAX; severity += 1) {
      const range = parseLevel(severityName(severity));
      expect(range.ok && range.value.min <= severity && severity <= range.value.max).toBe(true);
    }
  });

  test.each(["", "loud", "constructor", ">=warn"])("refuses %j and names the levels", (text) => {
    expect(parseLevel(text)).toEqual({
      ok: false,
      error: "expected a level: unknown, trace, debug, info, warn, error, fatal",
    });
  });
});

describe("parseLevelRange", () => {
  test.each([
    ["warn", 13, 16],
    ["=warn", 13, 16],
    [">=warn", 13, 24],
    [">= WARN", 13, 24],
    [">warn", 17, 24],
    ["<warn", 1, 12],
    ["<=warn", 1, 16],
    [">=notice", 10, 24],
    [">notice", 11, 24],
    ["unknown", 0, 0],
    ["=unknown", 0, 0],
  ])("reads %s as %i to %i", (text, min, max) => {
    expect(parseLevelRange(text)).toEqual({ ok: true, value: { min, max } });
  });

  test.each([
    [
      ">=loud",
      "expected a level: unknown, trace, debug, info, warn, error, fatal, or a comparison such as >=warn",
    ],
    [">fatal", "no level is >fatal"],
    ["<trace", "no level is <trace"],
    [">=unknown", "an unknown level is neither above nor below another; write unknown by itself"],
  ])("refuses %s", (text, error) => {
    expect(parseLevelRange(text)).toEqual({ ok: false, error });
  });
});

test("syslogSeverity follows OpenTelemetry's table", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(syslogSeverity)).toEqual([21, 19, 18, 17, 13, 10, 9, 5]);
  expect(() => syslogSeverity(8)).toThrow(RangeError);
  expect(() => syslogSeverity(-1)).toThrow(RangeError);
});
