import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  MAX_VARINT_BYTES,
  VarintReader,
  varintBytes,
  writeSignedVarint,
  writeVarint,
} from "../src/varint.ts";

const MAX = Number.MAX_SAFE_INTEGER;

function unsigned(...bytes: number[]): number {
  return new VarintReader(Uint8Array.from(bytes), 0, bytes.length).read();
}

function signed(...bytes: number[]): number {
  return new VarintReader(Uint8Array.from(bytes), 0, bytes.length).readSigned();
}

function encode(write: typeof writeVarint, value: number): number[] {
  const bytes = new Uint8Array(MAX_VARINT_BYTES);
  return [...bytes.subarray(0, write(bytes, 0, value))];
}

describe("unsigned varints", () => {
  test.each([
    [0, [0]],
    [1, [1]],
    [127, [0x7f]],
    [128, [0x80, 1]],
    [16_383, [0xff, 0x7f]],
    [16_384, [0x80, 0x80, 1]],
    [2 ** 31 - 1, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [2 ** 31, [0x80, 0x80, 0x80, 0x80, 0x08]],
    [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
    [MAX, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])("%i is written and read as its one encoding", (value, bytes) => {
    expect(encode(writeVarint, value)).toEqual(bytes);
    expect(unsigned(...bytes)).toBe(value);
    expect(varintBytes(value)).toBe(bytes.length);
  });

  test("every safe integer survives", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = encode(writeVarint, value);
        expect(bytes.length).toBe(varintBytes(value));
        expect(unsigned(...bytes)).toBe(value);
      }),
    );
  });

  test.each([
    ["nothing", []],
    ["a cut-off value", [0x80]],
    ["a padded zero", [0x80, 0x00]],
    ["a padded one", [0x81, 0x80, 0x00]],
    ["2^53", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ["nine bytes", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ])("%s is refused", (_, bytes) => {
    expect(unsigned(...bytes)).toBeNaN();
  });

  test("a reader stops at its end, not at the array's", () => {
    const reader = new VarintReader(Uint8Array.of(1, 0x80, 1, 7), 0, 2);
    expect(reader.read()).toBe(1);
    expect(reader.read()).toBeNaN();
  });
});

describe("signed varints", () => {
  test.each([
    [0, [0]],
    [-1, [1]],
    [1, [2]],
    [-2, [3]],
    [63, [0x7e]],
    [-64, [0x7f]],
    [64, [0x80, 1]],
    [2 ** 30, [0x80, 0x80, 0x80, 0x80, 0x08]],
    [MAX, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
    [-MAX, [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
  ])("%i is written and read as its one encoding", (value, bytes) => {
    expect(encode(writeSignedVarint, value)).toEqual(bytes);
    expect(signed(...bytes)).toBe(value);
  });

  test("every safe integer survives", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(signed(...encode(writeSignedVarint, value))).toBe(value);
      }),
    );
  });

  test.each([
    ["nothing", []],
    ["a cut-off value", [0xff]],
    ["padding", [0x82, 0x00]],
    ["-2^53", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
  ])("%s is refused", (_, bytes) => {
    expect(signed(...bytes)).toBeNaN();
  });
});
