import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteCount, formatExactSize, formatSize, parseSize } from "../src/size.ts";

describe("parseSize", () => {
  test.each([
    ["1024", 1024],
    ["0", 0],
    ["50GB", 50e9],
    ["50 gb", 50e9],
    ["5GiB", 5 * 2 ** 30],
    ["512kB", 512_000],
    ["512KB", 512_000],
    ["512KiB", 524_288],
    ["1.5MB", 1_500_000],
    ["2TB", 2e12],
    ["2TiB", 2 * 2 ** 40],
    ["7B", 7],
    ["0.0001kB", 0],
  ])("reads %s as %i bytes", (text, expected) => {
    expect(parseSize(text)).toEqual({ ok: true, value: expected });
  });

  test.each(["", "GB", "-1GB", "1,5GB", "1e9", "5 GB 3", "0x10"])(
    "refuses %j with an example",
    (text) => {
      expect(parseSize(text)).toEqual({
        ok: false,
        error: "expected a size such as 50GB or 512MiB",
      });
    },
  );

  test.each(["50G", "50K", "1PB"])("refuses %s and names the units", (text) => {
    expect(parseSize(text)).toEqual({
      ok: false,
      error:
        "expected a size such as 50GB or 512MiB; units are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB",
    });
  });

  test("refuses what is above 2^53 - 1", () => {
    expect(parseSize("9007199254740991").ok).toBe(true);
    expect(parseSize("9007199254740992").ok).toBe(false);
  });
});

describe("formatSize", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1536, "1.54 kB"],
    [47_300_000_000, "47.3 GB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [9_994_999, "9.99 MB"],
    [9_995_000, "10 MB"],
    [99_949_999, "99.9 MB"],
    [99_950_000, "100 MB"],
    [120e12, "120 TB"],
    [2 ** 53 - 1, "9007 TB"],
  ])("prints %i as %s", (count, expected) => {
    expect(formatSize(count)).toBe(expected);
  });

  test("stays within half a percent of the size", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (count) => {
        const shown = parseSize(formatSize(count));
        expect(shown.ok && Math.abs(shown.value - count) <= count * 0.005).toBe(true);
      }),
    );
  });
});

describe("formatExactSize", () => {
  test.each([
    [0, "0B"],
    [1500, "1500B"],
    [50e9, "50GB"],
    [5 * 2 ** 30, "5GiB"],
    [512_000, "500KiB"],
    [2_592_000, "2592kB"],
  ])("prints %i as %s", (count, expected) => {
    expect(formatExactSize(count)).toBe(expected);
  });

  test("is read back exactly", () => {
    const roundish = fc
      .tuple(fc.nat(4096), fc.constantFrom(1, 1e3, 1e6, 1e9, 1e12, 2 ** 10, 2 ** 20, 2 ** 40))
      .map(([count, unit]) => count * unit);
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), roundish), (count) => {
        expect(parseSize(formatExactSize(count))).toEqual({ ok: true, value: count });
      }),
    );
  });
});

test("byteCount takes whole numbers from 0 only", () => {
  expect(byteCount(0)).toBe(0);
  expect(() => byteCount(-1)).toThrow(RangeError);
  expect(() => byteCount(1.5)).toThrow(RangeError);
});
