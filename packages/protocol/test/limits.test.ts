import { expect, test } from "vitest";
import { CLOSE_CODES, CLOSE_NOTES, HTTP_NOTES, HTTP_STATUSES } from "../src/codes.ts";
import { encodeFrame } from "../src/frame-encode.ts";
import { LIMITS } from "../src/limits.ts";
import { claimedRawBytes } from "../src/message-claim.ts";

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

test("what a message claims to inflate to is the sum over its batches, without their payloads read", () => {
  const place = { stream: 1, epoch: 1, ordinal: 0, firstSeq: 0, cursor: Buffer.from("c") };
  const times = { minTimeUs: 0, maxTimeUs: 0, codec: 1, payload: Buffer.from("not zstd") };
  const batch = (rawBytes: number) =>
    encodeFrame({ kind: "batch", ...place, ...times, count: 1, rawBytes });
  const filtered = { filteredRecords: 9, filteredBytes: 9, final: false };
  const advance = encodeFrame({ kind: "advance", ...place, count: 0, ...filtered });
  expect(claimedRawBytes(Buffer.concat([batch(7), advance, batch(1000)]))).toBe(1007);
  expect(claimedRawBytes(advance)).toBe(0);
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["zeros", Buffer.alloc(1000)],
  ["ones", Buffer.alloc(1000, 0xff)],
  ["a header that is cut off", Buffer.from([0, 0, 0, 0, 64, 0, 0, 0, 1])],
])("a message of %s claims no more than one batch", (_name, message) => {
  expect(claimedRawBytes(message)).toBeLessThanOrEqual(LIMITS.payloadRawBytes);
});

test("a message claims no more than its frames could hold, whatever its headers say", () => {
  const header = Buffer.alloc(64, 0xff);
  header.writeUInt32LE(64, 4);
  header[8] = 1;
  const message = Buffer.concat(Array.from({ length: 2 * LIMITS.messageFrames }, () => header));
  expect(claimedRawBytes(message)).toBe(LIMITS.messageFrames * LIMITS.payloadRawBytes);
});
