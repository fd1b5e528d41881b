import { LIMITS } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LineFeed } from "../src/line-feed.ts";
import { encodingOfMark, isEncoding } from "../src/transcoder.ts";
import { cursorOf, MemoryReader, offsetOf } from "./memory-reader.ts";

const NEVER = new AbortController().signal;

interface Line {
  readonly text: string;
  readonly sourceBytes: number;
  readonly originalBytes: number | undefined;
  /** Offset that its cursor names. */
  readonly endOffset: number;
}

/** All lines of a finished file. */
async function linesOf(
  content: Uint8Array,
  encoding: string | undefined,
  nextReadBytes?: () => number,
  from = 0,
): Promise<Line[]> {
  const reader = new MemoryReader(content, nextReadBytes);
  reader.end({ kind: "ended", reason: "rotated" });
  await reader.seek(cursorOf(from));
  const feed = new LineFeed(reader, { encoding });
  const lines: Line[] = [];
  for (;;) {
    const outcome = await feed.read(NEVER);
    if (outcome.kind !== "records") {
      expect(outcome.kind).toBe("ended");
      expect(lines.reduce((sum, { sourceBytes }) => sum + sourceBytes, from)).toBe(content.length);
      return lines;
    }
    for (const { body, sourceBytes, originalBytes, cursor } of outcome.records) {
      const text = Buffer.from(body).toString("utf8");
      lines.push({ text, sourceBytes, originalBytes, endOffset: offsetOf(cursor()) });
    }
  }
}

function texts(lines: readonly Line[]): string[] {
  return lines.map(({ text }) => text);
}

function utf16(text: string, isBigEndian: boolean): Buffer {
  const bytes = Buffer.from(text, "utf16le");
  return isBigEndian ? bytes.swap16() : bytes;
}

const TEXT = "Grüße\r\n\n\u0A0A ਊ 😀 日本\n\u0100\u0000a\nlast";

describe("lines of a declared encoding", () => {
  it.each([
    ["utf-16le", utf16(TEXT, false)],
    ["utf-16be", utf16(TEXT, true)],
    ["utf-16", utf16(TEXT, false)],
  ])("arrive as UTF-8, however the bytes are split into reads: %s", async (label, content) => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 9 })), async (sizes) => {
        const lines = await linesOf(content, label, () => sizes.next().value);
        expect(texts(lines)).toEqual(TEXT.split("\n"));
        let end = 0;
        for (const line of lines) {
          end += line.sourceBytes;
          expect(line.endOffset).toBe(end);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ["latin1", [0x47, 0x72, 0xfc, 0xdf, 0x65], "Grüße"],
    ["windows-1252", [0x80, 0x31], "€1"],
    ["koi8-r", [0xcc, 0xcf, 0xc7], "лог"],
    ["shift_jis", [0x83, 0x8d, 0x83, 0x4f], "ログ"],
    ["utf-16le", [0x00, 0xd8, 0x41, 0x00], "\uFFFDA"],
  ])("is decoded as such: %s", async (label, bytes, expected) => {
    const lf = label === "utf-16le" ? [10, 0] : [10];
    const lines = await linesOf(Buffer.from([...bytes, ...lf, ...bytes]), label);
    expect(texts(lines)).toEqual([expected, expected]);
  });

  it("lose the mark at the beginning of the file, and no other", async () => {
    const content = utf16("\uFEFFone\n\uFEFFtwo\n", false);
    expect(texts(await linesOf(content, "utf-16le"))).toEqual(["one", "\uFEFFtwo"]);
  });

  it("are found from the middle of a line feed on, where reading began behind its byte LF", async () => {
    const content = utf16("old\none\ntwo\n", false);
    const lines = await linesOf(content, "utf-16le", undefined, 7);
    expect(texts(lines)).toEqual(["one", "two"]);
  });

  it("end with half a character where the file does", async () => {
    const content = utf16("one\ntw", true).subarray(0, -1);
    expect(texts(await linesOf(content, "utf-16be"))).toEqual(["one", "t\uFFFD"]);
  });

  it.each([0, 1, 2, 333])(
    "are cut at the limit in whole characters, and the next is whole (reads of limit + %i)",
    async (more) => {
      const long = "x".repeat(LIMITS.recordBytes);
      const content = utf16(`a\n${long}\nnext\n`, false);
      const lines = await linesOf(content, "utf-16le", () => 65_536 - more);
      expect(lines.map(({ text }) => text.length)).toEqual([1, LIMITS.recordBytes / 2, 4]);
      expect(lines.map(({ originalBytes }) => originalBytes)).toEqual([
        undefined,
        2 * LIMITS.recordBytes,
        undefined,
      ]);
      expect(lines[2]?.text).toBe("next");
    },
  );
});

describe("bytes without a declared encoding", () => {
  it("are given out as they are", async () => {
    const content = Buffer.from([0xff, 0x00, 10, 0xc3, 13, 10]);
    const reader = new MemoryReader(content);
    const outcome = await new LineFeed(reader).read(NEVER);
    if (outcome.kind !== "records") throw new Error("no records");
    expect(outcome.records.map(({ body }) => [...body])).toEqual([
      [0xff, 0x00],
      [0xc3, 13],
    ]);
  });

  it.each([
    ["utf-16le", [0xff, 0xfe, 0x41, 0x00]],
    ["utf-16be", [0xfe, 0xff, 0x00, 0x41]],
    [undefined, [0xef, 0xbb, 0xbf, 0x41]],
    [undefined, [0xff]],
    [undefined, []],
  ])("are taken for %s by their mark", (encoding, bytes) => {
    expect(encodingOfMark(Uint8Array.from(bytes))).toBe(encoding);
  });
});

describe("the name of an encoding", () => {
  it.each([
    ["utf-16le", true],
    ["UTF-16BE", true],
    ["latin1", true],
    ["windows-1252", true],
    ["utf-17", false],
    ["", false],
  ])("%s: %s", (label, isKnown) => {
    expect(isEncoding(label)).toBe(isKnown);
  });
});
