import type { NumberedLines } from "../numbered-lines.ts";
import type { StoredGeneration } from "../rotation/stored-generations.ts";
import { type ByteRange, DestroyedBytes, type LeftFile, lineOffsets } from "./destroyed-bytes.ts";

/** What a log was given, and what of it logrotate has left on the disk. */
export interface CutLog {
  readonly lines: NumberedLines;
  readonly written: number;
  /** All that there are, after everything. */
  readonly files: readonly LeftFile[];
}

export interface CutAccount {
  readonly storedLines: number;
  /** Cuts that have destroyed anything. */
  readonly cuts: number;
  /** Bytes that stand in no file any more. */
  readonly destroyedBytes: number;
  /** Of those, what is stored: the agent had read it before the cut. */
  readonly savedBytes: number;
  /** Of those, what is not stored. */
  readonly missingBytes: number;
  readonly missingLines: number;
  /** Of the missing bytes, what the agent had seen and says is lost. */
  readonly gapBytes: number;
  readonly problems: readonly string[];
}

const LF = 0x0a;
const SHOWN_CHARS = 60;

/**
 * Accounts for a log that is copied and cut under its writer: every byte is stored once and in its
 * place, or stands in no file at all; and gaps are only of such bytes, in their place.
 */
export function accountForCuts(log: CutLog, generations: readonly StoredGeneration[]): CutAccount {
  const count = new Count(log);
  for (const generation of generations) count.take(generation);
  return count.finish();
}

class Count {
  readonly #lines: NumberedLines;
  readonly #written: number;
  readonly #offsets: readonly number[];
  readonly #destroyed: DestroyedBytes;
  readonly #problems: string[];
  /** The line that is due. */
  #next = 0;
  #storedLines = 0;
  #savedBytes = 0;
  #missingLines = 0;
  #missingBytes = 0;
  #gapBytes = 0;
  /** Since the last stored line: what the gaps say, and what is missing. */
  #toldBytes = 0;
  #lostBytes = 0;

  constructor({ lines, written, files }: CutLog) {
    this.#lines = lines;
    this.#written = written;
    this.#offsets = lineOffsets(lines, written);
    this.#destroyed = new DestroyedBytes(lines, this.#offsets, files);
    this.#problems = [...this.#destroyed.problems];
  }

  take({ generation, bytes, gaps }: StoredGeneration): void {
    for (let from = 0; from < bytes.length && this.#problems.length === 0;) {
      const end = bytes.indexOf(LF, from) + 1;
      const problem = this.#takeLine(bytes.subarray(from, end), from === 0, end === bytes.length);
      if (problem !== undefined) this.#problems.push(`generation ${generation} ${problem}`);
      from = end;
    }
    for (const { range, cause, detail } of gaps) {
      if (range === "unknown") {
        this.#problems.push(`generation ${generation} has an unknown gap: ${cause} ${detail}`);
      } else {
        this.#toldBytes += range.bytes ?? 0;
      }
    }
  }

  finish(): CutAccount {
    if (this.#problems.length === 0) {
      this.#loseUntil(this.#written);
      this.#closePlace();
    }
    return {
      storedLines: this.#storedLines,
      cuts: this.#destroyed.ranges.length,
      destroyedBytes: this.#destroyed.bytes,
      savedBytes: this.#savedBytes,
      missingBytes: this.#missingBytes,
      missingLines: this.#missingLines,
      gapBytes: this.#gapBytes,
      problems: this.#problems,
    };
  }

  /** What is wrong with a line; lines may be missing only where one file's bytes end. */
  #takeLine(line: Buffer, isFirst: boolean, isLast: boolean): string | undefined {
    const number = this.#lines.numberOf(line);
    const whole = number === undefined ? undefined : this.#lines.line(number);
    if (number !== undefined && whole === line.toString("latin1")) {
      if (isFirst && number > this.#next) this.#loseUntil(number);
      if (number !== this.#next) return `has line ${number} where ${this.#next} was due`;
      if (isFirst) this.#closePlace();
      this.#storedLines += 1;
      this.#save(this.#rangeOf(number));
    } else {
      // A copy that ends within a line: its record has an LF all the same.
      const stored = line.length - 1;
      const due = this.#lines.line(this.#next);
      if (!isLast || !due.startsWith(line.toString("latin1", 0, stored))) {
        return `has a line never written: ${line.toString("latin1").slice(0, SHOWN_CHARS)}`;
      }
      if (isFirst) this.#closePlace();
      const { from, to } = this.#rangeOf(this.#next);
      this.#save({ from, to: from + stored });
      this.#lose({ from: from + stored, to });
    }
    this.#next += 1;
    return undefined;
  }

  #rangeOf(line: number): ByteRange {
    return { from: this.#offsets[line] ?? 0, to: this.#offsets[line + 1] ?? 0 };
  }

  #loseUntil(number: number): void {
    for (; this.#next < number; this.#next++) this.#lose(this.#rangeOf(this.#next));
  }

  #save(range: ByteRange): void {
    this.#savedBytes += this.#destroyed.within(range);
  }

  #lose(range: ByteRange): void {
    const bytes = range.to - range.from;
    const leftBytes = bytes - this.#destroyed.within(range);
    if (leftBytes > 0) {
      const what = `${leftBytes} of ${bytes} bytes of line ${this.#next}`;
      this.#problems.push(`${what} are not stored, and stand in a file`);
    }
    this.#missingLines += 1;
    this.#lostBytes += bytes;
  }

  #closePlace(): void {
    if (this.#toldBytes > this.#lostBytes) {
      this.#problems.push(
        `gaps of ${this.#toldBytes} bytes before line ${this.#next}, where ${this.#lostBytes} are missing`,
      );
    }
    this.#missingBytes += this.#lostBytes;
    this.#gapBytes += this.#toldBytes;
    this.#toldBytes = 0;
    this.#lostBytes = 0;
  }
}
