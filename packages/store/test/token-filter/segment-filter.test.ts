import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BucketEncoder } from "../../src/token-filter/bucket-encoder.ts";
import { blocksInBucket } from "../../src/token-filter/bucket-decoder.ts";
import { bucketOf, fractionOf } from "../../src/token-filter/bucket-layout.ts";
import { decodeDirectory, encodeDirectory } from "../../src/token-filter/filter-directory.ts";
import { SegmentFilter } from "../../src/token-filter/segment-filter.ts";
import { SegmentFilterBuilder } from "../../src/token-filter/segment-filter-builder.ts";
import { TokenCollector } from "../../src/token-filter/token-collector.ts";

interface Built {
  readonly filter: SegmentFilter;
  readonly buckets: Buffer[];
  readonly directory: Buffer;
}

/** The filter of blocks that hold these words, read back from its bytes. */
function build(blocks: readonly (readonly string[])[]): Built {
  const collector = new TokenCollector();
  const builder = new SegmentFilterBuilder();
  for (const words of blocks) {
    builder.add(collector.collect(Buffer.from(words.join(" "))));
  }
  const built = builder.finish();
  const buckets = Array.from(built.buckets);
  const directory = encodeDirectory(built.directory);
  return { filter: open(directory, buckets), buckets, directory };
}

function open(directory: Buffer, buckets: readonly (Buffer | undefined)[]): SegmentFilter {
  const decoded = decodeDirectory(directory);
  if (!decoded.ok) {
    throw new Error(decoded.error.detail);
  }
  return new SegmentFilter(decoded.value, { bucket: (bucket) => buckets[bucket] });
}

function candidates(filter: SegmentFilter, ...words: string[]): number[] {
  const found = filter.candidates(words);
  if (!found.ok) {
    throw new Error(found.error.detail);
  }
  return Array.from(found.value);
}

const word = fc.string({
  unit: fc.constantFrom(...Array.from("abcxyz019_\u00e9")),
  minLength: 1,
  maxLength: 4,
});

describe("the blocks that may hold a word", () => {
  it("are never without one that holds it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(word, { maxLength: 200 }), { minLength: 1, maxLength: 40 }),
        (blocks) => {
          const { filter } = build(blocks);
          blocks.forEach((words, block) => {
            for (const held of words) {
              expect(candidates(filter, held)).toContain(block);
            }
          });
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([0, 1, 2, 5, 6, 7, 31, 32, 33, 63, 64, 65, 97, 98, 99, 100])(
    "are exactly those that hold it where %i of 100 do",
    (count) => {
      const holders = Array.from({ length: 100 }, (_, i) => i).filter(
        (i) => (i * 37) % 100 < count,
      );
      const blocks = Array.from({ length: 100 }, (_, block) => [
        ...Array.from({ length: 50 }, (__, i) => `own${block}x${i}`),
        ...(holders.includes(block) ? ["wanted"] : []),
      ]);
      expect(candidates(build(blocks).filter, "wanted")).toEqual(holders);
    },
  );

  it("are about one in two thousand where none holds it", () => {
    const blocks = Array.from({ length: 200 }, (_, block) =>
      Array.from({ length: 500 }, (__, i) => (i < 100 ? `every${i}` : `own${block}x${i}`)),
    );
    const { filter } = build(blocks);
    const words = Array.from({ length: 2000 }, (_, i) => `absent${i}`);
    const found = words.reduce((sum, absent) => sum + candidates(filter, absent).length, 0);
    expect(found / (words.length * blocks.length)).toBeLessThan(0.00075);
    expect(found / (words.length * blocks.length)).toBeGreaterThan(0.00025);
  });

  it("are those that may hold each of several", () => {
    const { filter } = build([["red", "green"], ["green", "blue"], ["blue"]]);
    expect(candidates(filter, "GREEN", "blue")).toEqual([1]);
    expect(candidates(filter, "red", "blue")).toEqual([]);
    expect(candidates(filter)).toEqual([0, 1, 2]);
  });

  it("are all of them for a word that filters do not know", () => {
    const { filter } = build([["red"], [], ["x"]]);
    expect(candidates(filter, "x")).toEqual([0, 1, 2]);
    expect(candidates(filter, "caf\ufffd")).toEqual([0, 1, 2]);
  });

  it.each([
    ["no blocks", []],
    ["blocks without a word", [[], []]],
  ])("are none in a segment of %s", (_, blocks) => {
    expect(candidates(build(blocks).filter, "red")).toEqual([]);
  });

  it("are found whatever the number of buckets", () => {
    for (const words of [511, 1024, 1025, 65_000, 131_000, 200_000, 300_000]) {
      const { filter, buckets } = build([
        Array.from({ length: words }, (_, i) => `w${i}`),
        ["other"],
      ]);
      expect(buckets.length === 0 || 256 % buckets.length === 0 || buckets.length % 256 === 0).toBe(
        true,
      );
      for (let i = 0; i < words; i += 97) {
        expect(candidates(filter, `w${i}`)).toContain(0);
      }
    }
  });
});

describe("words chosen so that their hashes lie together", () => {
  it.each([
    ["in one row", 1000, 65, 1],
    ["in one bucket", 100, 2000, 1],
    ["in one slice", 50, 4000, 64],
    ["at the upper end", 1000, 65, -1],
  ])("%s are found all the same", (_, blockCount, hashesPerBlock, step) => {
    const builder = new SegmentFilterBuilder();
    const total = blockCount * hashesPerBlock;
    const hashOf = (block: number, i: number): number =>
      // 7919 is prime: neighbours among the hashes lie in blocks of no order.
      ((((block * hashesPerBlock + i) * 7919) % total) * step + (step < 0 ? 2 ** 32 - 1 : 0)) >>> 0;
    for (let block = 0; block < blockCount; block++) {
      builder.add(Uint32Array.from({ length: hashesPerBlock }, (__, i) => hashOf(block, i)));
    }
    const { directory, buckets } = builder.finish();
    const bytes = Array.from(buckets);
    for (let block = 0; block < blockCount; block += 9) {
      const hash = hashOf(block, block % hashesPerBlock);
      const bucket = bucketOf(hash, directory.bucketCount);
      const fraction = fractionOf(hash, directory.bucketCount);
      const found = blocksInBucket(bucket, bytes[bucket] ?? Buffer.alloc(0), fraction, directory);
      expect(found.ok && found.value.has(block)).toBe(true);
    }
  });
});

describe("a filter whose bytes are not those written", () => {
  const { buckets, directory } = build([
    ["red", "green"],
    ["green", "blue"],
  ]);
  const [bytes = Buffer.alloc(0)] = buckets;

  it("is reported at any bit that differs", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
      expect(open(directory, [flipped]).candidatesOf("green")).toMatchObject({
        ok: false,
        error: { code: "filter-damaged" },
      });
    }
  });

  it("is reported at any length that differs", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(open(directory, [bytes.subarray(0, length)]).candidatesOf("green").ok).toBe(false);
    }
    expect(open(directory, [Buffer.concat([bytes, bytes])]).candidatesOf("green").ok).toBe(false);
  });

  it("is reported where a bucket is missing or stands for another", () => {
    const many = build([Array.from({ length: 2000 }, (_, i) => `w${i}`)]);
    const missing = open(many.directory, []).candidatesOf("w1");
    expect(missing).toMatchObject({ ok: false, error: { code: "filter-damaged" } });
    const swapped = open(many.directory, many.buckets.toReversed()).candidatesOf("w1");
    expect(swapped).toMatchObject({ ok: false, error: { code: "filter-damaged" } });
  });
});

it("is read in the rare space that it was written in", () => {
  const blockCount = 300;
  const hashes = Uint32Array.from({ length: blockCount }, (_, i) => i * 14_000_000);
  const blocks = Uint32Array.from(hashes, (_, i) => (i * 7) % blockCount);
  for (const rareSpace of [1000, 2000]) {
    const directory = { blockCount, bucketCount: 1, rareSpace };
    const bytes = new BucketEncoder(directory).encode(0, { hashes, blocks }, 0, blockCount);
    hashes.forEach((hash, i) => {
      const found = blocksInBucket(0, bytes, fractionOf(hash, 1), directory);
      expect(found.ok && found.value.has(blocks[i] ?? -1)).toBe(true);
    });
  }
});

describe("a filter's directory", () => {
  it("is read as it is written", () => {
    const directory = { blockCount: 1500, bucketCount: 17_536, rareSpace: 2000 };
    expect(decodeDirectory(encodeDirectory(directory))).toEqual({ ok: true, value: directory });
  });

  it("is read as the first version wrote it", () => {
    const value = { blockCount: 1, bucketCount: 1, rareSpace: 1000 };
    expect(decodeDirectory(Buffer.from("010100000001000000", "hex"))).toEqual({ ok: true, value });
  });

  it.each([
    ["", "filter-damaged"],
    ["00", "filter-damaged"],
    ["01", "filter-damaged"],
    ["010100000001000000ff", "filter-damaged"],
    ["010000000001000000", "filter-damaged"],
    ["01ffffffff01000000", "filter-damaged"],
    ["0101000000ffffffff", "filter-damaged"],
    ["020100000001000000", "filter-damaged"],
    ["02010000000100000001000000", "filter-damaged"],
    ["020100000001000000ffffffff", "filter-damaged"],
    ["0301000000010000000000", "filter-newer"],
  ])("is not read from %j", (hex, code) => {
    expect(decodeDirectory(Buffer.from(hex, "hex"))).toMatchObject({ ok: false, error: { code } });
  });
});
