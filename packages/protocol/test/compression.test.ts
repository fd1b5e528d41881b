import { randomBytes } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { compressPayload, compressPayloadSync, decompressPayload } from "../src/compression.ts";
import { LIMITS } from "../src/limits.ts";

const payload = Buffer.from("a line of a log\n".repeat(1000));
const compressed = compressPayloadSync(payload);

function refusal(bytes: Uint8Array, rawBytes: number): string {
  const result = decompressPayload(bytes, rawBytes);
  return result.ok ? "accepted" : result.error.code;
}

test("a payload survives, compressed here or on the thread pool", async () => {
  expect(await compressPayload(payload)).toEqual(compressed);
  expect(decompressPayload(compressed, payload.length)).toEqual({ ok: true, value: payload });
});

test("a byte that changes anywhere in a stored payload is noticed", () => {
  for (let at = 0; at < compressed.length; at++) {
    const flipped = Buffer.from(compressed);
    flipped.writeUInt8(flipped.readUInt8(at) ^ 0x10, at);
    const result = decompressPayload(flipped, payload.length);
    expect(result.ok && !result.value.equals(payload), `offset ${at}`).toBe(false);
  }
});

test("the largest payload survives, even when it does not compress", () => {
  let state = 1;
  const noise = Buffer.alloc(LIMITS.payloadRawBytes);
  for (let i = 0; i + 4 <= noise.length; i += 4) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    noise.writeInt32LE(state ^ (state >>> 15), i);
  }
  const packed = compressPayloadSync(noise);
  expect(packed.length).toBeLessThan(LIMITS.framePayloadBytes - LIMITS.cursorBytes - 64);
  expect(refusal(packed, noise.length)).toBe("accepted");
});

test("a payload survives when its compressed bytes fill a chunk of zlib exactly", async () => {
  // Noise that stays as long as it is, and zeros that vanish: some length of these hits a chunk's end.
  const noise = randomBytes(1_080);
  for (let zeros = 3_000; zeros < 4_000; zeros++) {
    const raw = Buffer.concat([noise, Buffer.alloc(zeros)]);
    expect(refusal(compressPayloadSync(raw), raw.length)).toBe("accepted");
    expect(refusal(await compressPayload(raw), raw.length)).toBe("accepted");
  }
});

describe("compressed bytes are refused", () => {
  test.each([
    ["when nothing is there", Buffer.alloc(0), payload.length],
    ["when they are not zstd", Buffer.from("not zstd at all, not at all"), payload.length],
    ["when cut off", compressed.subarray(0, -1), payload.length],
    ["when a byte follows", Buffer.concat([compressed, Buffer.of(0)]), payload.length],
    ["when a second frame follows", Buffer.concat([compressed, compressed]), payload.length * 2],
    [
      "when a skippable frame follows",
      Buffer.concat([compressed, Buffer.from("502a4d1800000000", "hex")]),
      payload.length,
    ],
    ["when they hold more than stated", compressed, payload.length - 1],
    ["when they hold less than stated", compressed, payload.length + 1],
    ["when they do not state their size", sizeless(payload), payload.length],
  ])("%s", (_, bytes, rawBytes) => {
    expect(refusal(bytes, rawBytes)).toBe("bad_compression");
  });

  test("at every length that a frame can be cut to", () => {
    for (let length = 0; length < compressed.length; length++)
      expect(refusal(compressed.subarray(0, length), payload.length)).toBe("bad_compression");
  });

  test("when the size stated is out of bounds", () => {
    expect(refusal(compressed, 0)).toBe("limit_exceeded");
    expect(refusal(compressed, LIMITS.payloadRawBytes + 1)).toBe("limit_exceeded");
    expect(refusal(compressed, NaN)).toBe("limit_exceeded");
  });
});

/** Written as a stream would be, without the content size in the header. */
function sizeless(bytes: Buffer): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
}

/**
 * A frame of RLE blocks, each 128 KiB of one byte out of 4 bytes, whose header states `claimed`:
 * about 1 MB that inflates to 32 GB.
 */
function bomb(claimed: number, blocks: number): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt32LE(0xfd2fb528, 0);
  header[4] = 0x80;
  header[5] = (17 - 10) << 3;
  header.writeUInt32LE(claimed, 6);
  const body = Buffer.alloc(blocks * 4);
  for (let i = 0; i < blocks; i++) {
    body.writeUIntLE((131_072 << 3) | (1 << 1) | (i === blocks - 1 ? 1 : 0), i * 4, 3);
    body[i * 4 + 3] = 0x61;
  }
  return Buffer.concat([header, body]);
}

describe("a zstd bomb", () => {
  test("that tells its true size is refused before it is inflated", () => {
    const honest = bomb(2 ** 30, 2 ** 30 / 131_072);
    expect(refusal(honest, 2 ** 30)).toBe("limit_exceeded");
    expect(refusal(honest, LIMITS.payloadRawBytes)).toBe("bad_compression");
  });

  test("of 1 MB that inflates to gigabytes is refused with bounded memory", () => {
    const lying = bomb(LIMITS.batchRawBytes, 262_144);
    expect(lying.length).toBeGreaterThan(1_000_000);
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 5; i++)
      expect(refusal(lying, LIMITS.batchRawBytes)).toBe("bad_compression");
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
  });

  test("that asks for a window of 128 MiB does not get it", () => {
    const wide = bomb(LIMITS.batchRawBytes, 9);
    wide[5] = (27 - 10) << 3;
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 5; i++) expect(refusal(wide, LIMITS.batchRawBytes)).toBe("bad_compression");
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
  });

  test("is what these tests make: one of the size it states is inflated", () => {
    expect(refusal(bomb(LIMITS.batchRawBytes, 8), LIMITS.batchRawBytes)).toBe("accepted");
  });
});
