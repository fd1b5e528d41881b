import { LIMITS } from "@sluice/protocol";
import { describe, expect, it } from "vitest";

import { createLineRule } from "../../src/multiline/rule-choice.ts";
import { MULTILINE_PRESETS, PARSE_FORMATS } from "../../src/processing/processing-settings.ts";
import { processorOf, READ_AT_US, recordOf } from "./processing.ts";

/** What takes time that grows with the square of a line is by far beyond this at 256 KiB. */
const LONGEST_MS = 2_000;

const PIECES = [
  " ",
  "a",
  "a.",
  "x:1:in '",
  "(A",
  "goroutine 1 [",
  "[",
  "main.f(",
  "level=",
  "/a:1",
  "Error: {",
  "{",
  '"',
  '\\"',
  "=",
  "a=",
  'a="',
  ":1",
  ",1.",
  "<1>1 ",
  "[a b=",
  '"a":',
  '{"a":',
];
/** Beginnings behind which a pattern goes on looking. */
const HEADS = [
  "",
  "goroutine 1 ",
  "a:1:in '",
  '1 - - [26/Nov/2026:22:00:00 +0000] "',
  "<1>1 t h p 1 m [a",
  '{"a":',
];

/** A line may continue a trace. */
const BEFORE = [
  "2026-11-26 ERROR x",
  "Traceback (most recent call last):",
  "goroutine 1 [running]:",
  "panic: x",
  "/srv/app.js:1",
  "app.rb:1:in 'x': y (ArgumentError)",
];

describe("a line of 256 KiB, whatever it is full of", () => {
  const lines = HEADS.flatMap((head) =>
    PIECES.map((piece) => head + piece.repeat(LIMITS.recordBytes / piece.length - head.length)),
  );

  it.each(MULTILINE_PRESETS)("is soon told from a trace of %s", (preset) => {
    for (const before of BEFORE) {
      for (const line of lines) {
        const rule = createLineRule(preset);
        rule.continues(before);
        const begin = performance.now();
        rule.continues(line);
        expect(performance.now() - begin).toBeLessThan(LONGEST_MS);
      }
    }
  });

  it.each(PARSE_FORMATS)("is soon told from %s", (format) => {
    const processor = processorOf({ parse: { format, fields: undefined, time: undefined } });
    for (const line of lines) {
      const begin = performance.now();
      processor.process(recordOf(line), READ_AT_US);
      expect(performance.now() - begin).toBeLessThan(LONGEST_MS);
    }
    expect(processor.counts.failed).toBe(0);
  });

  it("is soon matched by any pattern of a user", () => {
    const processor = processorOf({
      excludeLines: [".*z.*y", "(a+)+$", "(x+x+)+y"],
      redact: [{ pattern: String.raw`(\w+\s*)+:z`, replace: "-" }],
    });
    for (const piece of ["a", "x", "a ", "z"]) {
      const line = piece.repeat(LIMITS.recordBytes / piece.length - 1);
      const begin = performance.now();
      processor.process(recordOf(line), READ_AT_US);
      expect(performance.now() - begin).toBeLessThan(LONGEST_MS);
    }
  });
});
