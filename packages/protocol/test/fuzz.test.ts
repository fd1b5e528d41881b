import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBatch } from "../src/batch.ts";
import { decodeColumns, encodeColumns } from "../src/columns.ts";
import { decompressPayload } from "../src/compression.ts";
import { decodeAgentMessage, decodeCollectorMessage, encodeControl } from "../src/control-codec.ts";
import { decodeMessage } from "../src/frame-decode.ts";
import { encodeMessage } from "../src/frame-encode.ts";
import { LIMITS } from "../src/limits.ts";
import {
  batchFrame,
  controlMessage,
  frame,
  mutated,
  records,
  toColumns,
  toRecords,
} from "./arbitraries.ts";

/** Decodes all that a message holds. Any exception fails the property that calls it. */
function decodeWholly(message: Uint8Array): void {
  const frames = decodeMessage(message);
  if (!frames.ok) {
    expect(frames.error.detail.length).toBeGreaterThan(0);
    return;
  }
  for (const one of frames.value) {
    if (one.kind === "batch") decodeBatch(one);
  }
}

describe("no input makes a decoder throw", () => {
  test("arbitrary bytes as a message, a payload or compressed bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: 70_000 }), (bytes, count) => {
        decodeWholly(bytes);
        decompressPayload(bytes, count);
        const columns = decodeColumns(bytes, count);
        expect(columns.ok && columns.value.count !== count).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test("valid messages, mutated", () => {
    const message = fc.array(frame, { minLength: 1, maxLength: 3 }).map(encodeMessage);
    fc.assert(fc.property(message.chain(mutated), decodeWholly), { numRuns: 500 });
  });

  test("valid batches whose compressed payload or header is mutated", () => {
    const changed = batchFrame.chain((one) =>
      fc
        .record({ payload: mutated(one.payload), rawBytes: fc.nat({ max: 400 }) })
        .map((change) => ({
          ...one,
          ...change,
        })),
    );
    fc.assert(
      fc.property(changed, (one) => {
        const decoded = decodeBatch(one);
        expect(decoded.ok && decoded.value.count !== one.count).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("valid payloads, mutated: what is still accepted is what it says", () => {
    const changed = records.chain((list) =>
      mutated(encodeColumns(toColumns(list))).map((payload) => ({ payload, count: list.length })),
    );
    fc.assert(
      fc.property(changed, ({ payload, count }) => {
        const decoded = decodeColumns(payload, count);
        if (!decoded.ok) return;
        const again = decodeColumns(encodeColumns(decoded.value), count);
        expect(again.ok && toRecords(again.value)).toEqual(toRecords(decoded.value));
        expect(encodeColumns(decoded.value).length).toBe(payload.length);
      }),
      { numRuns: 1000 },
    );
  });

  test("arbitrary text and arbitrary JSON as a control message", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.json(),
      fc
        .tuple(
          fc.constantFrom("hello", "open", "ack", "welcome", "reject", "failed", "reset"),
          fc.dictionary(fc.constantFrom("streams", "stream", "cursor", "labels"), fc.jsonValue()),
        )
        .map(([type, rest]) => JSON.stringify({ ...rest, type })),
    );
    fc.assert(
      fc.property(text, (one) => {
        for (const decoded of [decodeAgentMessage(one), decodeCollectorMessage(one)])
          expect(decoded.ok || decoded.error.detail.length <= 200).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("valid control messages, mutated", () => {
    const changed = controlMessage
      .map((message) => Buffer.from(encodeControl(message)))
      .chain(mutated)
      .map((bytes) => Buffer.from(bytes).toString());
    fc.assert(
      fc.property(changed, (text) => {
        for (const decoded of [decodeAgentMessage(text), decodeCollectorMessage(text)])
          expect(decoded.ok || decoded.error.detail.length <= 200).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("JSON nested as deep as a control message can be", () => {
    const half = LIMITS.controlBytes / 2 - 20;
    const deep = `{"type":"ack","streams":${"[".repeat(half)}${"]".repeat(half)}}`;
    expect(decodeCollectorMessage(deep).ok).toBe(false);
    expect(decodeCollectorMessage("[".repeat(LIMITS.controlBytes)).ok).toBe(false);
  });

  test.each([
    ["arrays in arrays", "[", ""],
    ["objects in objects", '{"a":', ""],
    ["empty objects", "{},", "["],
    ["numbers", "0,", "["],
    ["keys", '"k":0,', "{"],
  ])("a control message full of %s is refused before it is parsed", (_name, part, start) => {
    const inside = part.repeat((LIMITS.controlBytes - 40) / part.length);
    expect(decodeAgentMessage(`{"type":"open","streams":${start}${inside}`)).toMatchObject({
      ok: false,
      error: { kind: "too_large" },
    });
  });
});

describe("no input makes a decoder allocate beyond the limits", () => {
  test("a payload whose sections lie about a large count costs no column", () => {
    const trailer = Buffer.alloc(16);
    trailer.writeUInt32LE(0xffff_ffff, 0);
    const before = process.memoryUsage();
    for (let i = 0; i < 10_000; i++) decodeColumns(trailer, LIMITS.batchRecords);
    for (let i = 0; i < 10_000; i++) decodeColumns(Buffer.alloc(16), LIMITS.batchRecords);
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024);
  });
});
