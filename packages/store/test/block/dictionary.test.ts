import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { encodeBlock } from "../../src/block/block-encoder.ts";
import { decodeIndex } from "../../src/block/block-index.ts";
import { decodeText } from "../../src/block/block-text.ts";
import { openDictionary, sampleDictionary } from "../../src/block/dictionary.ts";
import { decoded } from "./decoded.ts";
import { line, runOf, toRecords } from "./runs.ts";

const WORDS = "error warning started stopped session user connection closed for by with".split(" ");

/** Lines that differ, of a vocabulary that repeats. */
function lines(count: number, seed: number) {
  let state = seed;
  const next = (limit: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
  return Array.from({ length: count }, () =>
    line(Array.from({ length: 8 }, () => `${WORDS[next(WORDS.length)]}-${next(40)}`).join(" ")),
  );
}

const neighbours = lines(12_000, 1);
const dictionary = sampleDictionary([encodeBlock([runOf(neighbours)], 1).text]);

describe("a dictionary", () => {
  test("makes blocks like those that it was sampled from smaller", () => {
    const list = [runOf(lines(500, 2))];
    const plain = encodeBlock(list, 6).content.length;
    expect(encodeBlock(list, 6, dictionary).content.length).toBeLessThan(0.95 * plain);
  });

  test("changes nothing of what a block decodes to", () => {
    const list = lines(500, 3);
    const { text } = decoded(
      [runOf(list)],
      6,
      openDictionary(dictionary?.bytes ?? Buffer.alloc(0)),
    );
    expect(toRecords(text.columns(0, 500))).toEqual(list);
  });

  test("is one of whole lines, within its size", () => {
    expect(dictionary?.bytes.length).toBeLessThanOrEqual(128 * 1024);
    expect(dictionary?.bytes.length).toBeGreaterThan(120 * 1024);
    const known = new Set(neighbours.map(({ body }) => Buffer.from(body).toString()));
    const sampled = Buffer.from(dictionary?.bytes ?? [])
      .toString()
      .trim()
      .split("\n");
    expect(sampled.every((text) => known.has(text))).toBe(true);
  });

  test("is not made of little text", () => {
    expect(sampleDictionary([Buffer.alloc(1000)])).toBeUndefined();
    expect(sampleDictionary([])).toBeUndefined();
  });

  test("is missed by a block that was encoded with it", () => {
    const block = encodeBlock([runOf(lines(50, 4))], 6, dictionary);
    const index = decodeIndex(block.index, block.indexRawBytes);
    if (!index.ok) throw new Error(index.error.detail);
    for (const other of [undefined, openDictionary(Buffer.from("another"))]) {
      const text = decodeText(block.content, block.contentRawBytes, index.value, other);
      expect(!text.ok && text.error.code).toBe("wrong_dictionary");
    }
  });

  test("is not needed by a block that was encoded without one", () => {
    const block = encodeBlock([runOf(lines(50, 4))], 6);
    const index = decodeIndex(block.index, block.indexRawBytes);
    if (!index.ok) throw new Error(index.error.detail);
    expect(decodeText(block.content, block.contentRawBytes, index.value, dictionary).ok).toBe(true);
  });

  test("may be of any bytes, a beginning like one of zstd's own included", () => {
    const text = Buffer.concat([
      Buffer.from("37a430ec", "hex"),
      Buffer.alloc(600_000, "abcdefg\n"),
    ]);
    const sampled = sampleDictionary([text]);
    const { text: back } = decoded([runOf(lines(5, 5))], 6, sampled);
    expect(toRecords(back.columns(0, 5))).toEqual(lines(5, 5));
  });
});
