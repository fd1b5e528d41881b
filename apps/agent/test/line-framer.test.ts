import {
  BatchBuilder,
  decodeColumns,
  LIMITS,
  MAX_TIME_US,
  ORIGINAL_BYTES_ATTRIBUTE,
  type RecordColumns,
} from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LineFramer } from "../src/line-framer.ts";
import { Stamper } from "../src/stamp/stamper.ts";

const READ_AT_US = Date.UTC(2026, 10, 24, 12) * 1000;
const LIMIT = LIMITS.recordBytes;

interface Framed {
  readonly bodies: readonly string[];
  readonly originalBytes: readonly (string | undefined)[];
  readonly columns: RecordColumns | undefined;
  /** What lies behind the last record. */
  readonly rest: string;
  readonly cutBytes: number;
}

/** Frames bytes that arrive in reads of the given sizes, the last of them over and over. */
function frame(content: Uint8Array | string, sizes: readonly number[] = [Infinity]): Framed {
  const bytes = Buffer.from(content as string);
  const builder = new BatchBuilder();
  const framer = new LineFramer(new Stamper({ zone: 0 }));
  let filled = 0;
  let cutBytes = 0;
  for (let at = 0, read = 0; at < bytes.length; read++) {
    const size = Math.min(sizes[Math.min(read, sizes.length - 1)] ?? 1, bytes.length - at);
    bytes.copy(builder.buffer, filled, at, at + size);
    const framing = framer.frame(builder, filled, filled + size, READ_AT_US);
    expect(framing.isFull).toBe(false);
    filled = framing.filled;
    cutBytes += framing.cutBytes;
    at += size;
  }
  const rest = builder.buffer.toString("latin1", builder.bodiesBytes, filled);
  if (builder.count === 0) {
    return { bodies: [], originalBytes: [], columns: undefined, rest, cutBytes };
  }
  const { count } = builder;
  const decoded = decodeColumns(Buffer.from(builder.finish()), count);
  if (!decoded.ok) {
    throw new Error(decoded.error.detail);
  }
  const { bodies, bodyOffsets, attributes } = decoded.value;
  const text = Buffer.from(bodies);
  return {
    bodies: Array.from({ length: count }, (_, i) =>
      text.toString("latin1", bodyOffsets[i], (bodyOffsets[i + 1] ?? 1) - 1),
    ),
    originalBytes: Array.from(
      { length: count },
      (_, i) => attributes?.[i]?.[ORIGINAL_BYTES_ATTRIBUTE],
    ),
    columns: decoded.value,
    rest,
    cutBytes,
  };
}

const CASES: readonly (readonly [string, string, readonly string[], string])[] = [
  ["nothing", "", [], ""],
  ["one line", "one\n", ["one"], ""],
  ["two lines and the beginning of a third", "one\ntwo\nthr", ["one", "two"], "thr"],
  ["empty lines", "\n\nx\n\n", ["", "", "x", ""], ""],
  ["a CR, which is content", "dos\r\nline\r\n", ["dos\r", "line\r"], ""],
  ["a CR alone, which ends no line", "progress\rbar\n", ["progress\rbar"], ""],
  ["a NUL", "a\0b\n\0\n", ["a\0b", "\0"], ""],
  ["other line ends of Unicode", "a\x0bb\x0cc\x85d\n", ["a\x0bb\x0cc\x85d"], ""],
  ["invalid UTF-8", "\xff\xfe\xc3\n\xe2\x82\n", ["\xff\xfe\xc3", "\xe2\x82"], ""],
  ["a line without an end", "unterminated", [], "unterminated"],
];

describe("framing", () => {
  it.each(CASES)("splits %s", (_name, content, bodies, rest) => {
    const framed = frame(Buffer.from(content, "latin1"));
    expect(framed).toMatchObject({ bodies, rest, cutBytes: 0 });
  });

  it("gives all 256 byte values back but the LF that ends a line", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const text = Buffer.from(bytes).toString("latin1");
    const [before, behind] = text.split("\n");
    expect(frame(Buffer.concat([bytes, Buffer.from("\n")])).bodies).toEqual([before, behind]);
  });

  it("gives the same records however the bytes are split into reads", () => {
    const anyByte = fc.oneof(fc.constantFrom(0x0a, 0x0d, 0x00, 0x20, 0xff), fc.nat({ max: 255 }));
    const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(anyByte, { maxLength: 80 }), lengths, (content, sizes) => {
        const bytes = Uint8Array.from(content);
        expect(frame(bytes, sizes)).toEqual(frame(bytes));
      }),
      { numRuns: 200 },
    );
  });

  it("stamps each line with its own time and severity, and the time of reading where it has none", () => {
    const { columns } = frame("2026-11-22T08:00:00Z ERROR one\nplain\n");
    expect([...(columns?.timesUs ?? [])]).toEqual([Date.UTC(2026, 10, 22, 8) * 1000, READ_AT_US]);
    expect([...(columns?.severities ?? [])]).toEqual([17, 0]);
  });

  it("reads a time that no batch can hold as none", () => {
    const { columns } = frame("2300-01-01T00:00:00Z far\n");
    expect(columns?.timesUs[0]).toBe(READ_AT_US);
    expect(Date.UTC(2300) * 1000).toBeGreaterThan(MAX_TIME_US);
  });
});

describe("a long line", () => {
  const long = (bytes: number): string => "x".repeat(bytes);

  it.each([
    ["of just the limit is kept whole", LIMIT, LIMIT, undefined],
    ["of one byte more is cut and says how long it was", LIMIT + 1, LIMIT, String(LIMIT + 1)],
    ["of many times the limit is cut", 3 * LIMIT, LIMIT, String(3 * LIMIT)],
  ] as const)("%s", (_name, bytes, kept, original) => {
    const framed = frame(`${long(bytes)}\nnext\n`);
    expect(framed.bodies.map(({ length }) => length)).toEqual([kept, 4]);
    expect(framed.bodies[1]).toBe("next");
    expect(framed.originalBytes).toEqual([original, undefined]);
    expect(framed.cutBytes).toBe(bytes - kept);
  });

  it("needs no more room than the limit, however long it is", () => {
    const builder = new BatchBuilder();
    const framer = new LineFramer(new Stamper({ zone: 0 }));
    let filled = 0;
    let most = 0;
    const reads = 100;
    for (let read = 0; read < reads; read++) {
      builder.buffer.fill("y", filled, filled + LIMIT);
      filled = framer.frame(builder, filled, filled + LIMIT, READ_AT_US).filled;
      most = Math.max(most, filled);
    }
    expect(most).toBe(LIMIT);
    builder.buffer.write("\nnext\n", filled);
    framer.frame(builder, filled, filled + 6, READ_AT_US);
    expect(builder.count).toBe(2);
    const decoded = decodeColumns(Buffer.from(builder.finish()), 2);
    expect(decoded.ok && decoded.value.attributes?.[0]).toEqual({
      [ORIGINAL_BYTES_ATTRIBUTE]: String(reads * LIMIT),
    });
  });

  it("is cut at the same byte however it arrives", () => {
    const around = fc.integer({ min: LIMIT - 3, max: LIMIT + 3 });
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), around), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(around, sizes, (bytes, parts) => {
        const content = `a\n${long(bytes)}\nb\n${long(bytes)}`;
        expect(frame(content, [...parts, 50_000])).toEqual(frame(content));
      }),
      { numRuns: 30 },
    );
  });

  it("that is left behind does not mark the first one read elsewhere", () => {
    const builder = new BatchBuilder();
    const framer = new LineFramer(new Stamper({ zone: 0 }));
    builder.buffer.fill("z", 0, LIMIT + 100);
    framer.frame(builder, 0, LIMIT + 100, READ_AT_US);
    builder.reset();
    framer.reset();
    builder.buffer.write("short\n");
    framer.frame(builder, 0, 6, READ_AT_US);
    const decoded = decodeColumns(Buffer.from(builder.finish()), 1);
    expect(decoded.ok && decoded.value.attributes).toBeUndefined();
  });
});

describe("a full batch", () => {
  it("leaves the line that has no room for the next one", () => {
    const builder = new BatchBuilder();
    const framer = new LineFramer(new Stamper({ zone: 0 }));
    const lines = "\n".repeat(LIMITS.batchRecords + 2);
    builder.buffer.write(lines);
    const framing = framer.frame(builder, 0, lines.length, READ_AT_US);
    expect(framing).toEqual({ filled: lines.length, cutBytes: 0, isFull: true });
    expect(builder.count).toBe(LIMITS.batchRecords);
    expect(builder.bodiesBytes).toBe(LIMITS.batchRecords);
  });
});
