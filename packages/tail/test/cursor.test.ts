import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor, MAX_CURSOR_BYTES } from "../src/cursor.ts";
import type { FileCursor } from "../src/cursor.ts";

const CURSOR: FileCursor = {
  identity: {
    dev: 64768n,
    ino: 2n ** 53n + 1n,
    bornNs: 1_795_485_920_881_080_373n,
    head: { length: 1024, hash: "abcdefghijklmnopqrstuv" },
  },
  position: { offset: 4096, anchor: "ABCDEFGHIJKLMNOPQRST-_" },
};

describe("a file cursor", () => {
  it("keeps numbers beyond 2^53 exactly", () => {
    expect(decodeCursor(encodeCursor(CURSOR))).toEqual({ ok: true, value: CURSOR });
    expect(Buffer.from(encodeCursor(CURSOR)).toString()).toContain('"ino":"9007199254740993"');
  });

  it("survives encoding for every value of its fields", () => {
    const bigint = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const hash = fc.stringMatching(/^[\w-]{22}$/);
    fc.assert(
      fc.property(
        bigint,
        bigint,
        bigint,
        fc.nat({ max: 1024 }),
        hash,
        fc.maxSafeNat(),
        hash,
        (dev, ino, bornNs, length, headHash, offset, anchor) => {
          const cursor: FileCursor = {
            identity: { dev, ino, bornNs, head: { length, hash: headHash } },
            position: { offset, anchor },
          };
          const bytes = encodeCursor(cursor);
          expect(bytes.length).toBeLessThan(MAX_CURSOR_BYTES / 10);
          expect(decodeCursor(bytes)).toEqual({ ok: true, value: cursor });
        },
      ),
    );
  });

  const valid = JSON.parse(Buffer.from(encodeCursor(CURSOR)).toString()) as Record<string, unknown>;
  it.each([
    ["nothing", ""],
    ["a number", "1"],
    ["an array", "[]"],
    ["null", "null"],
    ["another version", JSON.stringify({ ...valid, v: 2 })],
    ["an inode that is a number", JSON.stringify({ ...valid, ino: 5 })],
    ["a negative inode", JSON.stringify({ ...valid, ino: "-5" })],
    ["a head longer than 1 KiB", JSON.stringify({ ...valid, head: { len: 1025, hash: "" } })],
    ["no head", JSON.stringify({ ...valid, head: undefined })],
    ["a negative offset", JSON.stringify({ ...valid, off: -1 })],
    ["a fraction of an offset", JSON.stringify({ ...valid, off: 0.5 })],
    ["an offset beyond 2^53", JSON.stringify({ ...valid, off: 2 ** 53 })],
    ["an anchor of other characters", JSON.stringify({ ...valid, anchor: "a b" })],
    ["no anchor", JSON.stringify({ ...valid, anchor: undefined })],
    ["more than 4 KiB", " ".repeat(4097)],
  ])("refuses %s", (_, text) => {
    expect(decodeCursor(Buffer.from(text))).toMatchObject({
      ok: false,
      error: { code: "cursor-invalid" },
    });
  });

  it("refuses bytes that are not UTF-8, and every truncation of itself", () => {
    expect(decodeCursor(Uint8Array.of(0xff, 0xfe)).ok).toBe(false);
    const bytes = encodeCursor(CURSOR);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodeCursor(bytes.subarray(0, length)).ok).toBe(false);
    }
  });
});
