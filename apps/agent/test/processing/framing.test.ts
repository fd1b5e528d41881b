import { LIMITS } from "@sluice/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LineFeed } from "../../src/line-feed.ts";
import { MULTILINE_PRESETS } from "../../src/processing/processing-settings.ts";
import type { FeedOutcome } from "../../src/record-feed.ts";
import { MemoryReader, offsetOf } from "../memory-reader.ts";
import { frame, multiline, readAll } from "./framing.ts";

const INDENTED = multiline({ start: undefined, continue: String.raw`^\s` });
const DATED = multiline({ start: String.raw`^\d{4}-`, continue: undefined });
const never = new AbortController().signal;

describe("lines that belong together", () => {
  it.each([
    ["continue: each line that matches joins", INDENTED, "a\n b\n c\nd\n", ["a\n b\n c", "d"]],
    [
      "start: each line that does not match joins",
      DATED,
      "2026-1\nx\n\n2027-1\n",
      ["2026-1\nx\n", "2027-1"],
    ],
    [
      "both: a line that matches neither is on its own",
      multiline({ start: "^<", continue: String.raw`^\s` }),
      "<a\n b\nc\n d\n<e\n",
      ["<a\n b", "c\n d", "<e"],
    ],
    ["a first line that would continue begins a record", INDENTED, " a\n b\nc\n", [" a\n b", "c"]],
    ["a last line without an end joins", INDENTED, "a\n b", ["a\n b"]],
    ["a last line without an end that does not join", INDENTED, "a\n b\nc", ["a\n b", "c"]],
    ["an empty last line is no line", DATED, "2026-1\n", ["2026-1"]],
    ["max_lines", { ...INDENTED, maxLines: 2 }, "a\n b\n c\n d\n", ["a\n b", " c\n d"]],
    ["max_bytes holds exactly", { ...INDENTED, maxBytes: 4 }, "a\n b\n c\n", ["a\n b", " c"]],
    ["max_bytes is passed by one", { ...INDENTED, maxBytes: 3 }, "a\n b\n c\n", ["a", " b", " c"]],
    [
      "a line beyond max_bytes is whole",
      { ...INDENTED, maxBytes: 3 },
      "abcdef\n b\n",
      ["abcdef", " b"],
    ],
    ["other bytes than UTF-8", INDENTED, Buffer.from("é\n \xff\nb\n", "latin1"), ["é\n \xff", "b"]],
  ] as const)("are one record: %s", async (_name, settings, content, records) => {
    expect(await frame(content, settings)).toEqual(records);
  });

  it("go on being joined behind a bound", async () => {
    const trace = `Traceback (most recent call last):\n${"  File\n".repeat(5)}ValueError: x\nnext\n`;
    const records = await frame(trace, multiline("python", { maxLines: 4 }));
    expect(records.map((record) => record.split("\n").length)).toEqual([4, 3, 1]);
  });

  it("are the same records however the bytes arrive", async () => {
    const line = fc.oneof(
      fc.constantFrom(
        "2026-11-26 ERROR failed",
        "java.lang.IllegalStateException: x",
        "\tat com.acme.Main.main(Main.java:1)",
        "Caused by: java.io.IOException",
        "Traceback (most recent call last):",
        '  File "x.py", line 1',
        "ValueError: x",
        "",
        "panic: x",
        "goroutine 1 [running]:",
        "main.main()",
        "/srv/app.js:1",
        "Error: x",
        "    at f (/srv/app.js:1:1) {",
        "  code: 1",
        "}",
        "app.rb:1:in `f': x (ArgumentError)",
        "\tfrom app.rb:2",
      ),
      fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replaceAll("\n", " ")),
    );
    const rule = fc.constantFrom(
      ...MULTILINE_PRESETS,
      { start: undefined, continue: String.raw`^\s` },
      { start: String.raw`^\S`, continue: undefined },
    );
    const bounds = fc.record({
      maxLines: fc.integer({ min: 1, max: 9 }),
      maxBytes: fc.constantFrom(1, 30, 100, LIMITS.recordBytes),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 25 }),
        rule,
        bounds,
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        async (lines, preset, more, sizes) => {
          const content = Buffer.from(lines.join("\n"));
          const settings = multiline(preset, more);
          const records = await frame(content, settings, () => sizes.next().value);
          expect(records).toEqual(await frame(content, settings));
          expect(records.join("\n")).toBe(content.toString("latin1").replace(/\n$/, ""));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("lines of a declared encoding", () => {
  it.each(["utf-16le", "utf-16be"])(
    "are joined as their text says, and account for the bytes of the file: %s",
    async (encoding) => {
      const text = "eins ü\n zwei \u0a0a 日本\n\n drei\nvier 😀\n fünf";
      const bytes = Buffer.from(text, "utf16le");
      const content = encoding === "utf-16be" ? bytes.swap16() : bytes;
      const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 12 }));
      await fc.assert(
        fc.asyncProperty(sizes, async (next) => {
          const reader = new MemoryReader(content, () => next.next().value);
          reader.end({ kind: "ended", reason: "rotated" });
          const feed = new LineFeed(reader, { multiline: INDENTED, encoding });
          const records = await readAll(feed);
          const bodies = records.map(({ text: latin1 }) =>
            Buffer.from(latin1, "latin1").toString("utf8"),
          );
          expect(bodies).toEqual(["eins ü\n zwei \u0a0a 日本", "\n drei", "vier 😀\n fünf"]);
          expect(records.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0)).toBe(
            content.length,
          );
        }),
        { numRuns: 50 },
      );
    },
  );
});

describe("a line that is longer than a record may be", () => {
  const long = LIMITS.recordBytes + 150_000;
  it.each([10_000, 70_000, Number.POSITIVE_INFINITY])(
    "is cut, alone, and the lines around it go on as they would: reads of %d bytes",
    async (readBytes) => {
      const content = `a\n b\n ${"x".repeat(long)}\n c\nd\n${"y".repeat(LIMITS.recordBytes)}\n e\n`;
      const reader = new MemoryReader(content, () => readBytes);
      reader.end({ kind: "ended", reason: "rotated" });
      const records = await readAll(new LineFeed(reader, { multiline: INDENTED }));
      expect(
        records.map(({ text, originalBytes }) => [text.slice(0, 4), text.length, originalBytes]),
      ).toEqual([
        ["a\n b", 4, undefined],
        [" xxx", LIMITS.recordBytes, long + 1],
        [" c", 2, undefined],
        ["d", 1, undefined],
        ["yyyy", LIMITS.recordBytes, undefined],
        [" e", 2, undefined],
      ]);
      expect(records.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0)).toBe(content.length);
      expect(records.map(({ offset }) => offset)).toEqual(
        records.map((_, i) =>
          records.slice(0, i + 1).reduce((sum, { sourceBytes }) => sum + sourceBytes, 0),
        ),
      );
    },
  );
});

describe("a record that may go on", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function bodies(outcome: FeedOutcome): string[] | string {
    return outcome.kind === "records"
      ? outcome.records.map(({ body }) => Buffer.from(body).toString())
      : outcome.kind;
  }

  it("is taken after max_wait of silence, and the cursor stays in front of it until then", async () => {
    const reader = new MemoryReader("a\nb\n c\npart");
    const feed = new LineFeed(reader, { multiline: INDENTED });
    expect(bodies(await feed.read(never))).toEqual(["a"]);
    expect(bodies(await feed.read(never))).toBe("idle");
    expect(offsetOf(feed.cursor())).toBe(2);
    expect(feed.bufferedBytes).toBe("b\n c\npart".length);
    const changed = feed.changed(never);
    await vi.advanceTimersByTimeAsync(1_005);
    await changed;
    const taken = await feed.read(never);
    expect(bodies(taken)).toEqual(["b\n c"]);
    expect(offsetOf(feed.cursor())).toBe(7);
    expect(feed.bufferedBytes).toBe("part".length);
    expect(bodies(await feed.read(never))).toBe("idle");
    reader.append("ly\n d\ne\n");
    expect(bodies(await feed.read(never))).toEqual(["partly\n d"]);
  });

  it("waits anew with each byte, and takes what comes in time", async () => {
    const reader = new MemoryReader("a\n");
    const feed = new LineFeed(reader, { multiline: INDENTED });
    expect(bodies(await feed.read(never))).toBe("idle");
    for (const more of [" b\n", " c", "\n"]) {
      const changed = feed.changed(never);
      await vi.advanceTimersByTimeAsync(900);
      reader.append(more);
      await changed;
      expect(bodies(await feed.read(never))).toBe("idle");
    }
    const changed = feed.changed(never);
    await vi.advanceTimersByTimeAsync(1_005);
    await changed;
    expect(bodies(await feed.read(never))).toEqual(["a\n b\n c"]);
  });

  it("does not hold up a stop, and an unfinished line alone waits for no timer", async () => {
    const abort = new AbortController();
    const feed = new LineFeed(new MemoryReader("a\n"), { multiline: INDENTED });
    expect(bodies(await feed.read(abort.signal))).toBe("idle");
    const changed = feed.changed(abort.signal);
    abort.abort(new Error("rewound"));
    await expect(changed).rejects.toThrow("rewound");
    expect(vi.getTimerCount()).toBe(0);
    const unfinished = new LineFeed(new MemoryReader("part"), { multiline: INDENTED });
    expect(bodies(await unfinished.read(never))).toBe("idle");
    void unfinished.changed(never);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends at a hole and at a loss, with the line that has no end", async () => {
    const inFront = new MemoryReader("a\n b\n c");
    inFront.end({ kind: "lost", reason: "truncated", fromByte: 7, knownBytes: 3 });
    const feed = new LineFeed(inFront, { multiline: INDENTED });
    expect(bodies(await feed.read(never))).toEqual(["a\n b\n c"]);
    expect(bodies(await feed.read(never))).toBe("lost");
    const sizes = [7, 99];
    const holed = new MemoryReader(`a\n b\n c${"\0".repeat(9)} d\n`, () => sizes.shift() ?? 99);
    holed.hole = { offset: 7, length: 9 };
    const other = new LineFeed(holed, { multiline: INDENTED });
    expect(bodies(await other.read(never))).toEqual(["a\n b\n c"]);
    expect(bodies(await other.read(never))).toBe("hole");
    expect(offsetOf(other.cursor())).toBe(16);
  });
});
