import { describe, expect, test } from "vitest";
import { LayoutText } from "../../src/block/layout-text.ts";
import { layoutParts } from "../../src/block/time-layout.ts";

const TIME_US = Date.UTC(2024, 1, 3, 4, 5, 6) * 1000 + 78_901;

function render(pattern: string, timeUs: number, zoneMinutes = 0): string {
  const text = new LayoutText({ pattern, zoneMinutes });
  // The time before leaves what is kept of it.
  text.render(timeUs - 1, 999);
  text.render(timeUs, 234);
  return Buffer.from(text.bytes.subarray(0, text.length)).toString("latin1");
}

describe("a layout of times", () => {
  test.each([
    ["%Y-%m-%dT%H:%M:%S.%6Z", "2024-02-03T04:05:06.078901Z"],
    ["%y%m%d %H%M%S", "240203 040506"],
    ["%a %b %e %H:%M:%S %Y", "Sat Feb  3 04:05:06 2024"],
    ["%b %D %k:%q:%r", "Feb 3 4:5:6"],
    ["%H:%M:%S,%1", "04:05:06,0"],
    ["%H:%M:%S,%3 %1 %2", "04:05:06,078 0 07"],
    ["%S %S", "06 06"],
    ["%H:%M:%S.%9", "04:05:06.078901234"],
    ["%H:%M:%S.%7", "04:05:06.0789012"],
    ["%s.%8", "1706933106.07890123"],
    ["%s", "1706933106"],
    ["%s.%3", "1706933106.078"],
    ["%L", "1706933106078"],
    ["%U", "1706933106078901"],
  ])("%s writes %s", (pattern, text) => {
    expect(render(pattern, TIME_US)).toBe(text);
  });

  test.each([
    ["the first microsecond of a second", 1_000_000, "00:00:01.000000"],
    ["the last microsecond before the epoch", -1, "23:59:59.999999"],
    ["the start of the epoch", 0, "00:00:00.000000"],
    ["the first minute", 60_000_000, "00:01:00.000000"],
  ])("writes %s", (_, timeUs, text) => {
    expect(render("%H:%M:%S.%6", timeUs)).toBe(text);
  });

  test.each([
    [-480, "2024-02-02 20:05"],
    [330, "2024-02-03 09:35"],
    [0, "2024-02-03 04:05"],
  ])("writes the wall clock %i minutes ahead of UTC", (zone, text) => {
    expect(render("%Y-%m-%d %H:%M", TIME_US, zone)).toBe(text);
  });

  test.each([
    ["an unknown field", "%Q", 0],
    ["a field cut off", "%Y%", 0],
    ["a literal in front", "-%Y", 0],
    ["two fractions, one of nanoseconds", "%S.%9 %3", 0],
    ["nothing", "", 0],
    ["a padded day behind a word", "%b%e", 0],
    ["bytes beyond ASCII", "%Y\u00e9", 0],
    ["a zone beyond any", "%Y", 2000],
    ["a part of a minute", "%Y", 0.5],
    ["more than a timestamp", "%Y".repeat(30), 0],
  ])("is none with %s", (_, pattern, zoneMinutes) => {
    expect(layoutParts({ pattern, zoneMinutes })).toBeUndefined();
    expect(() => new LayoutText({ pattern, zoneMinutes })).toThrow(RangeError);
  });
});
