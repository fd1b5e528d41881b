import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { TokenCollector } from "../../src/token-filter/token-collector.ts";
import { hashWord } from "../../src/token-filter/word-hash.ts";
import { hashBytes, hashesOf, wordsOf } from "./naive-words.ts";

/** Bytes as they come, and bytes in which words are likely to meet again. */
const anyText = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .array(fc.constantFrom(...Array.from("aAbZz09_ \n-.\u0001\u0080\u00ff")), { maxLength: 300 })
    .map((units) => Uint8Array.from(Buffer.from(units.join(""), "latin1"))),
);

describe("the words of a text", () => {
  it("are those that a regular expression finds, whatever the bytes", () => {
    const collector = new TokenCollector();
    fc.assert(
      fc.property(anyText, (text) => {
        expect(new Set(collector.collect(text))).toEqual(new Set(hashesOf(text)));
      }),
      { numRuns: 1000 },
    );
  });

  it("are each there once", () => {
    const collector = new TokenCollector();
    fc.assert(
      fc.property(anyText, (text) => {
        const hashes = collector.collect(text);
        expect(new Set(hashes).size).toBe(hashes.length);
      }),
    );
  });

  it.each([
    ["nothing", "", []],
    ["one byte", "a", []],
    ["bytes of no word", " \n-./:\u0001", []],
    ["words at both edges", "one two", ["one", "two"]],
    ["capitals", "ERROR Error error", ["error"]],
    ["capitals beyond ASCII", "\u00c9T\u00c9", ["\u00e9t\u00e9".replaceAll("\u00e9", "\u00c9")]],
    ["digits and underscores", "a_1 10.0.0.17", ["a_1", "10", "17"]],
    ["a sum that wraps to 0", "b5hbgvr dqtwopa ab", ["b5hbgvr", "dqtwopa", "ab"]],
    ["a marker beside a word", "\u0001web-1", ["web"]],
  ])("of %s", (_, text, words) => {
    const hashes = new TokenCollector().collect(Buffer.from(text));
    expect(new Set(hashes)).toEqual(new Set(words.map((word) => hashWord(word))));
  });

  it("are all there where they are more than the tables first hold, and the tables are used again", () => {
    const words = Array.from({ length: 50_000 }, (_, i) => `word${i}`);
    const collector = new TokenCollector();
    const hashes = new Set(collector.collect(Buffer.from(words.join("\n"))));
    expect(words.filter((word) => !hashes.has(hashWord(word) ?? -1))).toEqual([]);
    expect(Array.from(collector.collect(Buffer.from("just two")))).toHaveLength(2);
  });
});

describe("the hash of a query's word", () => {
  it("is that of the bytes it is written with, in any case", () => {
    fc.assert(
      fc.property(
        fc
          .string({ unit: "grapheme", minLength: 2 })
          .filter((text) => /^[\w\u0080-\uffff]+$/.test(text)),
        (word) => {
          fc.pre(!word.includes("\ufffd"));
          const [inText] = wordsOf(Buffer.from(word));
          expect(hashWord(word)).toBe(hashBytes(inText ?? Buffer.alloc(0)));
          expect(hashWord(word.replaceAll(/[A-Z]/g, (capital) => capital.toLowerCase()))).toBe(
            hashWord(word),
          );
        },
      ),
    );
  });

  it.each(["a", "7", "\ufffd", "caf\ufffd"])("is none for %j", (word) => {
    expect(hashWord(word)).toBeUndefined();
  });

  it.each(["", " ", "two words", "a-b", "a\n"])("is refused for %j", (text) => {
    expect(() => hashWord(text)).toThrow(RangeError);
  });

  it("stays as it was stored", () => {
    expect([hashWord("error"), hashWord("caf\u00e9"), hashWord("10")]).toMatchInlineSnapshot(`
      [
        996444483,
        228626897,
        3509153304,
      ]
    `);
  });
});
