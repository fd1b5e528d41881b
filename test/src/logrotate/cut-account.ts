import type { NumberedLines } from "../numbered-lines.ts";
import type { StoredGeneration } from "../rotation/stored-generations.ts";

/** What a log was given, and what of it logrotate has left on the disk. */
export interface CutLog {
  readonly lines: NumberedLines;
  readonly written: number;
  /** Whether a line stands in a file, whole, after everything. */
  readonly isLeft: (line: number) => boolean;
}

export interface CutAccount {
  readonly storedLines: number;
  /** Lines that logrotate destroyed before they were read, wholly or in part. */
  readonly missingLines: number;
  readonly missingBytes: number;
  /** Of those, what the agent had seen and says is lost. */
  readonly gapBytes: number;
  /** Lines that logrotate destroyed, and that are stored: the agent was faster. */
  readonly savedLines: number;
  readonly problems: readonly string[];
}

const LF = 0x0a;
const SHOWN_CHARS = 60;

/**
 * Accounts for a log that is copied and cut under its writer: written = stored + destroyed, no line
 * twice or out of its place, and gaps only of what was destroyed in their place.
 */
export function accountForCuts(log: CutLog, generations: readonly StoredGeneration[]): CutAccount {
  const count = new Count(log);
  for (const generation of generations) count.take(generation);
  return count.finish();
}

class Count {
  readonly #log: CutLog;
  readonly #problems: string[] = [];
  /** The line that is due. */
  #next = 0;
  #storedLines = 0;
  #savedLines = 0;
  #missingLines = 0;
  #missingBytes = 0;
  #gapBytes = 0;
  /** Since the last stored line: what the gaps say, and what is missing. */
  #toldBytes = 0;
  #lostBytes = 0;

  constructor(log: CutLog) {
    this.#log = log;
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
      this.#loseUntil(this.#log.written);
      this.#closePlace();
    }
    return {
      storedLines: this.#storedLines,
      missingLines: this.#missingLines,
      missingBytes: this.#missingBytes,
      gapBytes: this.#gapBytes,
      savedLines: this.#savedLines,
      problems: this.#problems,
    };
  }

  /** What is wrong with a line; lines may be missing only where one file's bytes end. */
  #takeLine(line: Buffer, isFirst: boolean, isLast: boolean): string | undefined {
    const { lines, isLeft } = this.#log;
    const number = lines.numberOf(line);
    if (number !== undefined && lines.line(number) === line.toString("latin1")) {
      if (isFirst && number > this.#next) this.#loseUntil(number);
      if (number !== this.#next) return `has line ${number} where ${this.#next} was due`;
      if (isFirst) this.#closePlace();
      this.#storedLines += 1;
      if (!isLeft(number)) this.#savedLines += 1;
    } else {
      // A copy that ends within a line: its record has an LF all the same.
      const due = lines.line(this.#next);
      if (!isLast || !due.startsWith(line.toString("latin1", 0, line.length - 1))) {
        return `has a line never written: ${line.toString("latin1").slice(0, SHOWN_CHARS)}`;
      }
      if (isFirst) this.#closePlace();
      this.#lose(due.length - (line.length - 1));
    }
    this.#next += 1;
    return undefined;
  }

  #loseUntil(number: number): void {
    for (; this.#next < number; this.#next++) this.#lose(this.#log.lines.line(this.#next).length);
  }

  #lose(bytes: number): void {
    if (this.#log.isLeft(this.#next)) {
      this.#problems.push(`line ${this.#next} is not stored, and stands in a file`);
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
