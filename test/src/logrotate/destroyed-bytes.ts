import type { NumberedLines } from "../numbered-lines.ts";

/** Of all the bytes that were written to a log, counted from the first one. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

const LF = 0x0a;

/**
 * What is left of a log that was copied and cut under its writer, and what is not: the bytes of each
 * of its files are looked up in all that was written, and what stands in none of them is destroyed.
 */
export class DestroyedBytes {
  /** In order. As no file is ever removed, each is what one cut took: what came behind its copy. */
  readonly ranges: readonly ByteRange[];
  /** What speaks against that: a file with bytes that were never written, or that another one has. */
  readonly problems: readonly string[];

  /** @param offsets of each line, and behind the last one where all of them end */
  constructor(lines: NumberedLines, offsets: readonly number[], files: readonly LeftFile[]) {
    const problems: string[] = [];
    const left: ByteRange[] = [];
    for (const { name, bytes } of files) {
      const range = rangeOf(bytes, lines, offsets);
      if (range === undefined) problems.push(`${name} holds what was never written in that order`);
      else left.push(range);
    }
    const ranges: ByteRange[] = [];
    let at = 0;
    for (const { from, to } of left.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
      if (from < at) problems.push(`two files hold the bytes from ${from} on`);
      if (from > at) ranges.push({ from: at, to: from });
      at = Math.max(at, to);
    }
    const end = offsets.at(-1) ?? 0;
    if (at < end) ranges.push({ from: at, to: end });
    this.ranges = ranges;
    this.problems = problems;
  }

  get bytes(): number {
    return this.ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /** How many bytes of a range are destroyed. */
  within({ from, to }: ByteRange): number {
    return this.ranges.reduce(
      (sum, range) => sum + Math.max(0, Math.min(to, range.to) - Math.max(from, range.from)),
      0,
    );
  }
}

/** A file of the log, the log itself or a copy, inflated where it was compressed. */
export interface LeftFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Where each of the first lines begins, and where the last one ends. */
export function lineOffsets(lines: NumberedLines, count: number): number[] {
  const offsets = [0];
  for (let line = 0; line < count; line++) {
    offsets.push((offsets[line] ?? 0) + lines.line(line).length);
  }
  return offsets;
}

/** Undefined where the bytes are no part of what was written. */
function rangeOf(
  bytes: Buffer,
  lines: NumberedLines,
  offsets: readonly number[],
): ByteRange | undefined {
  if (bytes.length === 0) return { from: 0, to: 0 };
  const beginsWithin = lines.numberOf(bytes) === undefined;
  const skipped = beginsWithin ? bytes.indexOf(LF) + 1 : 0;
  const first = lines.numberOf(bytes.subarray(skipped));
  if (first === undefined) return undefined;
  const from = (offsets[first] ?? Infinity) - skipped;
  const to = from + bytes.length;
  if (from < 0 || to > (offsets.at(-1) ?? 0)) return undefined;
  const begin = first - (beginsWithin ? 1 : 0);
  let at = from - (offsets[begin] ?? 0);
  let done = 0;
  for (let number = begin; done < bytes.length; number++) {
    const due = lines.line(number).slice(at, at + bytes.length - done);
    if (bytes.toString("latin1", done, done + due.length) !== due) return undefined;
    done += due.length;
    at = 0;
  }
  return { from, to };
}
