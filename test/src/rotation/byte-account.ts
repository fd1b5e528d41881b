import type { StoredGap } from "../stored.ts";
import type { Fate } from "./rotated-log.ts";
import type { StoredGeneration } from "./stored-generations.ts";

/** What a file object held, in the order in which the objects stood at the path. */
export interface WrittenSegment {
  readonly bytes: Buffer;
  readonly fate: Fate;
}

export interface Account {
  readonly writtenBytes: number;
  readonly storedBytes: number;
  /** Not stored, and in the place and number that a gap says. */
  readonly gapBytes: number;
  /** Not stored, behind a gap that says that nobody knows how much. */
  readonly unknownBytes: number;
  readonly unknownGaps: number;
  /** What contradicts "exactly once, or an exact gap", in sentences. */
  readonly problems: readonly string[];
}

const LF = 0x0a;
const SHOWN_CHARS = 60;

/**
 * Lays the stored bytes of a source and its gaps, generation by generation, over what was written:
 * together they must be all of it, each byte once, at its place in its file.
 */
export function accountForBytes(
  segments: readonly WrittenSegment[],
  generations: readonly StoredGeneration[],
): Account {
  const walk = new Walk(segments.filter(({ bytes }) => bytes.length > 0));
  for (const generation of generations) walk.take(generation);
  return walk.finish();
}

class Walk {
  readonly #segments: readonly WrittenSegment[];
  readonly #problems: string[] = [];
  #index = 0;
  /** Where the account stands in the segment at hand. */
  #offset = 0;
  #storedBytes = 0;
  #gapBytes = 0;
  #unknownBytes = 0;
  #unknownGaps = 0;

  constructor(segments: readonly WrittenSegment[]) {
    this.#segments = segments;
  }

  take(generation: StoredGeneration): void {
    const { bytes, gaps } = generation;
    if (this.#problems.length > 0 || (bytes.length === 0 && gaps.length === 0)) return;
    // One that begins where a file object's bytes are accounted for belongs to the next one.
    if (this.#offset === this.#bytes.length && this.#index + 1 < this.#segments.length) {
      this.#index += 1;
      this.#offset = 0;
    }
    this.#takeStored(generation);
    for (const gap of gaps) this.#takeGap(gap);
  }

  finish(): Account {
    if (this.#problems.length === 0) {
      const rest = this.#segments.slice(this.#index).map(({ bytes }) => bytes.length);
      const missing = rest.reduce((sum, length) => sum + length, -this.#offset);
      if (missing > 0) this.#complain(`${missing} bytes are missing at the end, without a gap`);
    }
    return {
      writtenBytes: this.#segments.reduce((sum, { bytes }) => sum + bytes.length, 0),
      storedBytes: this.#storedBytes,
      gapBytes: this.#gapBytes,
      unknownBytes: this.#unknownBytes,
      unknownGaps: this.#unknownGaps,
      problems: this.#problems,
    };
  }

  get #bytes(): Buffer {
    return this.#segments[this.#index]?.bytes ?? Buffer.alloc(0);
  }

  #takeStored({ generation, bytes }: StoredGeneration): void {
    const left = this.#bytes.subarray(this.#offset);
    const length = isUnterminated(bytes, left) ? bytes.length - 1 : bytes.length;
    if (Buffer.compare(bytes.subarray(0, length), left.subarray(0, length)) !== 0) {
      const at = firstDifference(bytes, left);
      this.#complain(
        `generation ${generation} has ${show(bytes, at)} where ${show(left, at)} was written`,
      );
      return;
    }
    this.#offset += length;
    this.#storedBytes += length;
  }

  #takeGap({ generation, cause, range, detail }: StoredGap): void {
    if (this.#problems.length > 0) return;
    const { fate = "kept" } = this.#segments[this.#index] ?? {};
    const leftBytes = this.#bytes.length - this.#offset;
    const name = `generation ${generation} has a gap (${cause}, ${JSON.stringify(range)}, ${detail})`;
    if (range === "unknown") {
      if (fate !== "unseen") this.#complain(`${name} of bytes that could be known: ${leftBytes}`);
      this.#unknownGaps += 1;
      this.#unknownBytes += leftBytes;
      this.#offset += leftBytes;
      return;
    }
    const { fromByte, bytes } = range;
    if (fate === "kept") this.#complain(`${name}, and all of it could be read`);
    if (fromByte !== undefined && fromByte !== this.#offset) {
      this.#complain(`${name} and ends its records at ${this.#offset}`);
    }
    if (bytes !== leftBytes) this.#complain(`${name}, and ${leftBytes} bytes were destroyed`);
    this.#gapBytes += leftBytes;
    this.#offset += leftBytes;
  }

  #complain(problem: string): void {
    const { fate = "kept" } = this.#segments[this.#index] ?? {};
    this.#problems.push(`file object ${this.#index + 1} (${fate}), at ${this.#offset}: ${problem}`);
  }
}

/** The last line of a file object need not have an LF; its record has one all the same. */
function isUnterminated(stored: Buffer, written: Buffer): boolean {
  return stored.at(-1) === LF && written[stored.length - 1] !== LF;
}

function firstDifference(a: Buffer, b: Buffer): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

/** The line around an offset. */
function show(bytes: Buffer, at: number): string {
  if (at >= bytes.length) return "nothing more";
  const from = at === 0 ? 0 : bytes.lastIndexOf(LF, at - 1) + 1;
  return JSON.stringify(bytes.toString("latin1", from, from + SHOWN_CHARS));
}
