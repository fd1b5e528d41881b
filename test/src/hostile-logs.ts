import { Prng } from "./corpus/prng.ts";

const LF = 0x0a;

/** Longer than any buffer of the agent but a whole batch, and below the limit of one record. */
const LONG_LINE_BYTES = 200 * 1024;

/** Sequences that no decoder takes: stray continuation, overlong, surrogate, cut off, beyond U+10FFFF. */
const INVALID_UTF8 = [
  [0x80],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xe2, 0x82],
  [0xf4, 0x90, 0x80, 0x80],
  [0xff, 0xfe],
].map((bytes) => Buffer.from(bytes));

/** Files of what loggers should not write and do, each ending in LF; the same for the same seed. */
export function hostileLogs(seed: number): ReadonlyMap<string, Buffer> {
  const random = new Prng(seed);
  return new Map([
    ["stray-cr.log", lines(2_000, () => withStrayCr(random))],
    ["nul.log", lines(2_000, () => withInserted(random, [Buffer.alloc(1 + random.below(40))]))],
    ["invalid-utf8.log", lines(2_000, () => withInserted(random, INVALID_UTF8))],
    ["all-bytes.log", Buffer.concat([allBytes(random, 400_000), Buffer.of(LF)])],
    ["long-lines.log", lines(12, (i) => Buffer.alloc(LONG_LINE_BYTES + i, `long ${i} `))],
    ["empty-lines.log", Buffer.alloc(5_000, LF)],
    ["one-byte-lines.log", lines(5_000, () => Buffer.of(0x20 + random.below(95)))],
  ]);
}

function lines(count: number, body: (index: number) => Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0; index < count; index++) parts.push(body(index), Buffer.of(LF));
  return Buffer.concat(parts);
}

function text(random: Prng): string {
  return `Nov 24 02:00:00 host app[${random.below(9_999)}]: ${random.uint32().toString(36)}`;
}

function withStrayCr(random: Prng): Buffer {
  const whole = text(random);
  const at = random.below(whole.length + 1);
  return Buffer.from(`${whole.slice(0, at)}${"\r".repeat(1 + random.below(3))}${whole.slice(at)}`);
}

function withInserted(random: Prng, choices: readonly Buffer[]): Buffer {
  const whole = Buffer.from(text(random));
  const at = random.below(whole.length + 1);
  const inserted = choices[random.below(choices.length)] ?? Buffer.alloc(0);
  return Buffer.concat([whole.subarray(0, at), inserted, whole.subarray(at)]);
}

/** Random bytes, after one run through all 256 values. */
function allBytes(random: Prng, size: number): Buffer {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  return Buffer.concat([bytes, Buffer.from(Array.from({ length: size }, () => random.below(256)))]);
}
