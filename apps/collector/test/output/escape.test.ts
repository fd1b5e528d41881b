import { escapeJson, escapeText } from "@sluice/service";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeBytes } from "../../src/output/escape.ts";

const UNSAFE = /[^\P{Cc}\t]|\p{Bidi_Control}/u;

describe("what a terminal is given", () => {
  test.each([
    ["an escape sequence", "\u001b[31m", "\\x1b[31m"],
    ["a bell", "\u0007", "\\x07"],
    ["a tab, which stays", "a\tb", "a\tb"],
    ["a newline", "a\nb", "a\\nb"],
    ["a carriage return", "a\rb", "a\\rb"],
    ["NUL", "\0", "\\x00"],
    ["DEL", "\u007f", "\\x7f"],
    ["a C1 control sequence introducer", "\u009b31m", "\\x9b31m"],
    ["NEL", "\u0085", "\\x85"],
    ["a right-to-left override", "\u202e", "\\u202e"],
    ["an isolate", "\u2066x\u2069", "\\u2066x\\u2069"],
    ["an Arabic letter mark", "\u061c", "\\u061c"],
    [
      "ordinary text of other scripts, which stays",
      "naïve — 日本語 🙂 שלום",
      "naïve — 日本語 🙂 שלום",
    ],
  ])("makes %s visible", (_, text, expected) => {
    expect(escapeText(text)).toBe(expected);
  });

  test("holds no control but tab, whatever the text", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x2100)), (codes) => {
        const text = String.fromCharCode(...codes);
        expect(UNSAFE.test(escapeText(text))).toBe(false);
      }),
    );
  });
});

test("JSON that was escaped is the same document", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = escapeJson(JSON.stringify(value));
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    }),
  );
});

describe("bytes that are not UTF-8", () => {
  test.each([
    ["a byte of latin1", [0x63, 0xe9], "c\\xe9"],
    ["a lone tail byte", [0x80, 0x61], "\\x80a"],
    ["a sequence that is cut off", [0xe2, 0x82], "\\xe2\\x82"],
    ["an overlong slash", [0xc0, 0xaf], "\\xc0\\xaf"],
    ["a surrogate", [0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"],
    ["what lies beyond Unicode", [0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"],
  ])("%s is shown byte by byte", (_, bytes, expected) => {
    expect(decodeBytes(Uint8Array.from(bytes))).toBe(expected);
  });

  test("well-formed text comes through as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(decodeBytes(Buffer.from(text))).toBe(text);
      }),
    );
  });
});
