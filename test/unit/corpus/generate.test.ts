import { createHash } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { KINDS, generateLines } from "../../src/corpus/generate.ts";
import type { GenerateOptions, Kind } from "../../src/corpus/generate.ts";

const START_US = Date.UTC(2026, 10, 22, 8) * 1000;
const MEBIBYTE = 1 << 20;

function chunks(options: Partial<GenerateOptions> & { readonly kind: Kind }): readonly Buffer[] {
  return [
    ...generateLines({
      seed: 1,
      bytes: 2 * MEBIBYTE,
      startUs: START_US,
      linesPerSecond: 1000,
      ...options,
    }),
  ];
}

function hash(parts: readonly Buffer[]): string {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part);
  return sum.digest("hex");
}

function zstdBytes(input: Buffer, level: number): number {
  return zstdCompressSync(input, { params: { [constants.ZSTD_c_compressionLevel]: level } }).length;
}

describe.each(KINDS)("generated %s lines", (kind) => {
  test("are the same for the same seed and others for another seed", () => {
    const first = hash(chunks({ kind }));
    expect(hash(chunks({ kind }))).toBe(first);
    expect(hash(chunks({ kind, seed: 2 }))).not.toBe(first);
    expect(hash(chunks({ kind, seed: 1 + 2 ** 32 }))).not.toBe(first);
  });

  test("come in chunks of whole lines of printable ASCII, of about the size asked for", () => {
    const parts = chunks({ kind });
    let total = 0;
    for (const part of parts) {
      total += part.length;
      expect(part.length).toBeLessThan(MEBIBYTE + 4096);
      expect(part.at(-1)).toBe(0x0a);
      expect(part.toString("latin1")).toMatch(/^[\t\n\x20-\x7e]+$/);
    }
    expect(total).toBeGreaterThanOrEqual(2 * MEBIBYTE);
    expect(total).toBeLessThan(2 * MEBIBYTE + 4096);
  });
});

describe("generated syslog lines", () => {
  const lines = Buffer.concat(chunks({ kind: "syslog", bytes: 4 * MEBIBYTE }));
  const texts = lines.toString("latin1").trimEnd().split("\n");

  test("start with times that never go back, at the rate asked for", () => {
    let previous = "";
    for (const text of texts) {
      const time = text.slice(0, 32);
      expect(time).toMatch(/^2026-11-22T\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
      expect(time >= previous).toBe(true);
      previous = time;
    }
    const elapsedSeconds = (Date.parse(previous) * 1000 - START_US) / 1e6;
    expect(texts.length / elapsedSeconds).toBeGreaterThan(900);
    expect(texts.length / elapsedSeconds).toBeLessThan(1100);
  });

  test("come from forty programs and are about 136 bytes long", () => {
    const programs = new Set(texts.map((text) => /^\S+ \S+ ([^:[]+)/.exec(text)?.[1]));
    expect(programs.size).toBeGreaterThanOrEqual(35);
    expect(lines.length / texts.length).toBeGreaterThan(130);
    expect(lines.length / texts.length).toBeLessThan(145);
  });

  test("compress as a server's syslog does", () => {
    const whole = zstdBytes(lines, 3) / lines.length;
    const block = zstdBytes(lines.subarray(0, MEBIBYTE), 1) / MEBIBYTE;
    expect(whole).toBeGreaterThan(0.09);
    expect(whole).toBeLessThan(0.12);
    expect(block).toBeGreaterThan(0.1);
    expect(block).toBeLessThan(0.125);
  });
});

test.each([
  { bytes: -1 },
  { bytes: 1.5 },
  { startUs: -1 },
  { linesPerSecond: 0 },
  { linesPerSecond: Number.NaN },
  { seed: 0.5 },
])("generating throws for %o", (wrong) => {
  expect(() => chunks({ kind: "syslog", ...wrong })).toThrow(RangeError);
});
