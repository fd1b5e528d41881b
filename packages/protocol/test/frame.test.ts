import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBatch } from "../src/batch.ts";
import { encodeColumns } from "../src/columns.ts";
import { compressPayloadSync } from "../src/compression.ts";
import type { AdvanceFrame, BatchFrame, Frame, GapFrame } from "../src/frame.ts";
import { decodeMessage } from "../src/frame-decode.ts";
import { encodeFrame, encodeMessage } from "../src/frame-encode.ts";
import { LIMITS } from "../src/limits.ts";
import { MAX_TIME_US } from "../src/record.ts";
import { batchFrame, frame, toColumns, toRecords } from "./arbitraries.ts";

const position = {
  stream: 7,
  epoch: 2,
  ordinal: 40,
  firstSeq: 900,
  cursor: Uint8Array.of(1, 2, 3),
};
const body = Uint8Array.from(Buffer.from("hello"));
const columns = toColumns([{ timeUs: 5, severity: 9, body, attributes: undefined }]);
const raw = encodeColumns(columns);
const batch: BatchFrame = {
  kind: "batch",
  ...position,
  count: 1,
  minTimeUs: 5,
  maxTimeUs: 5,
  rawBytes: raw.length,
  codec: 1,
  payload: compressPayloadSync(raw),
};
const gap: GapFrame = {
  kind: "gap",
  ...position,
  count: 3,
  cause: "rejected",
  timeUs: 9,
  range: { fromByte: 10, toByte: 20 },
  detail: "bad columns",
};
const advance: AdvanceFrame = {
  kind: "advance",
  ...position,
  count: 0,
  filteredRecords: 4,
  filteredBytes: 400,
  final: true,
};

function plain(decoded: Frame): unknown {
  const bytes = (value: Uint8Array) => Buffer.from(value).toString("hex");
  return {
    ...decoded,
    cursor: bytes(decoded.cursor),
    ...(decoded.kind === "batch" ? { payload: bytes(decoded.payload) } : {}),
  };
}

/** The outcome of decoding a frame in which `edit` changed bytes, its checksum made to fit again. */
function decodeEdited(original: Frame, edit: (bytes: Buffer) => void): string {
  const bytes = encodeFrame(original);
  edit(bytes);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  const decoded = decodeMessage(bytes);
  return decoded.ok ? "accepted" : `${decoded.error.kind}: ${decoded.error.detail}`;
}

describe("a message", () => {
  test("of any frames is decoded to the same frames", () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 5 }), (frames) => {
        const decoded = decodeMessage(encodeMessage(frames));
        expect(decoded.ok && decoded.value.map(plain)).toEqual(frames.map(plain));
      }),
    );
  });

  test("is decoded without copying payloads or cursors", () => {
    const message = encodeMessage([batch]);
    const decoded = decodeMessage(message);
    const [first] = decoded.ok ? decoded.value : [];
    expect(first?.cursor.buffer).toBe(message.buffer);
    expect(first?.kind === "batch" && first.payload.buffer).toBe(message.buffer);
  });

  test("cut anywhere inside a frame is refused, whatever came before", () => {
    const message = encodeMessage([advance, gap, batch]);
    const boundaries = [encodeFrame(advance).length, encodeMessage([advance, gap]).length];
    for (let length = 0; length < message.length; length++)
      expect(decodeMessage(message.subarray(0, length)).ok).toBe(boundaries.includes(length));
  });

  test("with any single bit flipped is refused", () => {
    const message = encodeMessage([advance, gap, batch]);
    for (let bit = 0; bit < message.length * 8; bit++) {
      message[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeMessage(message).ok).toBe(false);
      message[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(decodeMessage(message).ok).toBe(true);
  });

  test("damaged in a payload is corrupt, not malformed, and names the stream", () => {
    const before = encodeFrame(advance).length;
    const message = encodeMessage([advance, batch]);
    message[message.length - 1]! ^= 1;
    expect(decodeMessage(message)).toMatchObject({
      ok: false,
      error: { kind: "corrupt", offset: before, stream: 7, epoch: 2 },
    });
  });

  test("of no bytes, of too many bytes or of too many frames is refused", () => {
    expect(decodeMessage(new Uint8Array(0)).ok).toBe(false);
    expect(decodeMessage(new Uint8Array(LIMITS.framePayloadBytes + 1)).ok).toBe(false);
    const one = encodeFrame(advance);
    const most = Buffer.concat(Array.from({ length: LIMITS.messageFrames }, () => one));
    expect(decodeMessage(most).ok).toBe(true);
    expect(decodeMessage(Buffer.concat([most, one])).ok).toBe(false);
  });
});

describe("a frame with a good checksum is refused", () => {
  test("unless it is well formed, as these are", () => {
    for (const one of [batch, gap, advance]) expect(decodeEdited(one, () => {})).toBe("accepted");
  });

  test.each<[string, Frame, (bytes: Buffer) => unknown, string]>([
    ["with an unknown kind", batch, (b) => (b[8] = 4), "kind"],
    ["with kind 0", batch, (b) => (b[8] = 0), "kind"],
    ["with a flag on a batch", batch, (b) => (b[9] = 1), "flags"],
    ["with a flag on a gap", gap, (b) => (b[9] = 1), "flags"],
    ["with an unknown flag on an advance", advance, (b) => (b[9] = 2), "flags"],
    ["with a cursor above its limit", batch, (b) => b.writeUInt16LE(4097, 10), "cursor"],
    ["with a cursor past its end", advance, (b) => b.writeUInt16LE(4, 10), "cursor"],
    ["with a cursor short of its end", advance, (b) => b.writeUInt16LE(2, 10), "follow"],
    ["with a batch of no records", batch, (b) => b.writeUInt32LE(0, 20), "number of records"],
    ["with a batch of 65,537", batch, (b) => b.writeUInt32LE(65_537, 20), "number of records"],
    ["with an advance of records", advance, (b) => b.writeUInt32LE(1, 20), "no records"],
    ["with ordinal 2^53", batch, (b) => b.writeUInt32LE(1 << 21, 28), "ordinal"],
    ["with ordinal 2^63", batch, (b) => b.writeUInt32LE(2 ** 31, 28), "ordinal"],
    ["with first seq 2^53", batch, (b) => b.writeUInt32LE(1 << 21, 36), "sequence"],
    ["with seq overflowing", batch, (b) => b.fill(0xff, 32, 38).writeUInt16LE(31, 38), "sequence"],
    ["with times out of order", batch, (b) => b.writeUInt32LE(6, 40), "times"],
    ["with a time out of range", batch, (b) => b.writeInt32LE(1 << 20, 52), "times"],
    ["with an uncompressed size of 0", batch, (b) => b.writeUInt32LE(0, 56), "size"],
    [
      "with an uncompressed size above its limit",
      batch,
      (b) => b.writeUInt32LE(LIMITS.payloadRawBytes + 1, 56),
      "size",
    ],
    ["with reserved bytes in a batch", batch, (b) => (b[63] = 1), "reserved"],
    ["with an unknown cause", gap, (b) => (b[40] = 200), "cause"],
    ["with cause 0", gap, (b) => (b[40] = 0), "cause"],
    ["with unknown fields in a range", gap, (b) => (b[41] = 8), "unknown fields"],
    ["with a field it does not know", gap, (b) => (b[72] = 1), "does not know"],
    ["with a range in reverse", gap, (b) => (b[56] = 21), "ends before"],
    ["with a range past 2^53", gap, (b) => (b[71] = 0x20), "out of range"],
    ["with a detail of another length", gap, (b) => (b[42] = 3), "detail"],
    ["with a detail that is not UTF-8", gap, (b) => (b[b.length - 1] = 0xff), "UTF-8"],
    ["with reserved bytes in a gap", gap, (b) => (b[47] = 1), "reserved"],
    ["with a gap out of time", gap, (b) => b.writeInt32LE(-(2 ** 31), 52), "time"],
    ["with 2^53 filtered records", advance, (b) => b.writeUInt32LE(1 << 21, 44), "counts"],
    ["with a length below its header's", advance, (b) => b.writeUInt32LE(39, 4), "length"],
    ["with a length past the message", advance, (b) => b.writeUInt32LE(b.length + 1, 4), "length"],
  ])("%s", (_, original, edit, detail) => {
    const outcome = decodeEdited(original, edit);
    expect(outcome).toMatch(/^malformed: /);
    expect(outcome).toContain(detail);
  });

  test("without a payload", () => {
    const bytes = encodeFrame(batch).subarray(0, 64 + 3);
    bytes.writeUInt32LE(bytes.length, 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
    expect(decodeMessage(bytes)).toMatchObject({ error: { detail: "the batch has no payload" } });
  });
});

describe("a batch", () => {
  test("of any records is decoded to the same records", () => {
    fc.assert(
      fc.property(batchFrame, (one) => {
        const decoded = decodeBatch(one);
        expect(decoded.ok && toRecords(decoded.value).length).toBe(one.count);
        expect(decoded.ok && encodeColumns(decoded.value).length).toBe(one.rawBytes);
      }),
      { numRuns: 50 },
    );
  });

  test.each<[string, Partial<BatchFrame>, string]>([
    ["in an unknown codec", { codec: 2 }, "unsupported_codec"],
    ["in codec 0", { codec: 0 }, "unsupported_codec"],
    ["that does not inflate", { payload: raw }, "bad_compression"],
    ["whose size is another", { rawBytes: raw.length + 1 }, "bad_compression"],
    ["whose count is another", { count: 2 }, "bad_columns"],
    [
      "whose payload is no columns",
      { payload: compressPayloadSync(Buffer.alloc(raw.length, 0xff)) },
      "bad_columns",
    ],
    ["whose smallest time is another", { minTimeUs: 4 }, "header_mismatch"],
    ["whose largest time is another", { maxTimeUs: 6 }, "header_mismatch"],
  ])("%s is rejected for good", (_, change, code) => {
    expect(decodeBatch({ ...batch, ...change })).toMatchObject({ ok: false, error: { code } });
  });
});

describe("encoding throws", () => {
  test.each<[string, Frame]>([
    ["a stream above u32", { ...advance, stream: 2 ** 32 }],
    ["a negative epoch", { ...advance, epoch: -1 }],
    ["a fractional ordinal", { ...advance, ordinal: 0.5 }],
    ["a sequence number that overflows", { ...gap, firstSeq: Number.MAX_SAFE_INTEGER, count: 1 }],
    ["a cursor above its limit", { ...advance, cursor: new Uint8Array(4097) }],
    ["an advance that counts records", { ...advance, count: 1 }],
    ["a batch of no records", { ...batch, count: 0 }],
    ["times in reverse order", { ...batch, minTimeUs: 6 }],
    ["a time out of range", { ...batch, maxTimeUs: MAX_TIME_US + 1 }],
    ["a gap in reverse order", { ...gap, range: { fromByte: 2, toByte: 1 } }],
    ["a detail above its limit", { ...gap, detail: "x".repeat(LIMITS.detailBytes + 1) }],
    [
      "a frame larger than a message",
      { ...batch, payload: new Uint8Array(LIMITS.framePayloadBytes) },
    ],
  ])("%s", (_, bad) => {
    expect(() => encodeFrame(bad)).toThrow(RangeError);
  });

  test("a message of no frames or of too many", () => {
    expect(() => encodeMessage([])).toThrow(RangeError);
    const many = Array.from({ length: LIMITS.messageFrames + 1 }, () => advance);
    expect(() => encodeMessage(many)).toThrow(RangeError);
  });
});
