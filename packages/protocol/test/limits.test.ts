import { expect, test } from "vitest";
import { CLOSE_CODES, CLOSE_NOTES, HTTP_NOTES, HTTP_STATUSES } from "../src/codes.ts";
import { LIMITS } from "../src/limits.ts";

test("limits cannot be changed at run time", () => {
  expect(Object.isFrozen(LIMITS)).toBe(true);
});

test("every limit is a positive integer", () => {
  for (const value of Object.values(LIMITS))
    expect(Number.isSafeInteger(value) && value > 0).toBe(true);
});

test("the largest batch that zstd cannot compress fits one message", () => {
  // ZSTD_COMPRESSBOUND of zstd.h, for sizes above 128 KiB.
  const bound = LIMITS.payloadRawBytes + Math.floor(LIMITS.payloadRawBytes / 256);
  expect(64 + LIMITS.cursorBytes + bound).toBeLessThanOrEqual(LIMITS.framePayloadBytes);
});

test("an agent's credit takes several of the largest batches, the total several agents' credit", () => {
  expect(LIMITS.creditPerAgentBytes).toBeGreaterThanOrEqual(2 * LIMITS.payloadRawBytes);
  expect(LIMITS.creditTotalBytes).toBeGreaterThanOrEqual(2 * LIMITS.creditPerAgentBytes);
});

test("close codes are distinct, within 4000-4099, and each says what to do", () => {
  const codes = Object.values(CLOSE_CODES);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(code >= 4000 && code <= 4099).toBe(true);
  expect(Object.keys(CLOSE_NOTES)).toEqual(Object.keys(CLOSE_CODES));
  expect(Object.keys(HTTP_NOTES)).toEqual(Object.keys(HTTP_STATUSES));
});
