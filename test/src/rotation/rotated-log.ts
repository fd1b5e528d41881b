import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import { NumberedLines } from "../numbered-lines.ts";

/**
 * What became of a file object's bytes:
 * - `kept`: all of them could be read, at some name or through a descriptor.
 * - `seen`: they were destroyed while an agent ran that had looked at all of them.
 * - `unseen`: they were destroyed while no agent ran, or one that was killed on it.
 */
export type Fate = "kept" | "seen" | "unseen";

/** The bytes that one file object held from its creation, or its last truncation, to its end. */
export interface Segment {
  fate: Fate;
  readonly hasBanner: boolean;
  readonly firstLine: number;
  lines: number;
}

export interface LogShape {
  readonly meanLineBytes: number;
  /** How often each line says the same, which makes it long without making it take room. */
  readonly repeats: number;
  /** Lines that are appended at a time. */
  readonly lines: number;
  /** The first 4 KiB of each of its files are the same, and the same as in other logs. */
  readonly hasBanner: boolean;
}

const BANNER_LINES = 64;
const BANNER = Buffer.from(`${"=".repeat(63)}\n`.repeat(BANNER_LINES));

/** A log, everything that was ever written to it, and in which file objects that stood. */
export class RotatedLog implements Disposable {
  readonly path: string;
  readonly segments: Segment[] = [];
  readonly #numbered: NumberedLines;
  readonly #shape: LogShape;
  #file: number | undefined;
  #written = 0;

  /** @param number tells its lines from those of other logs */
  constructor(path: string, number: number, shape: LogShape) {
    mkdirSync(dirname(path), { recursive: true });
    this.path = path;
    this.#numbered = new NumberedLines(number, shape.meanLineBytes);
    this.#shape = shape;
  }

  get current(): Segment {
    const segment = this.segments.at(-1);
    if (segment === undefined) throw new Error(`${this.path} was not begun`);
    return segment;
  }

  /** Records of a segment, the banner's lines included. */
  static records({ hasBanner, lines }: Segment): number {
    return lines + (hasBanner ? BANNER_LINES : 0);
  }

  bytesOf({ hasBanner, firstLine, lines }: Segment): Buffer {
    let text = "";
    for (let number = firstLine; number < firstLine + lines; number++) {
      const line = this.#numbered.line(number);
      text += line.slice(0, -1).repeat(this.#shape.repeats - 1) + line;
    }
    return Buffer.concat([hasBanner ? BANNER : Buffer.alloc(0), Buffer.from(text, "latin1")]);
  }

  /** Opens a file as a program that appends does, and writes what each new file begins with. */
  open(path: string = this.path): void {
    this.close();
    this.#file = openSync(path, "a");
    this.begin();
  }

  /** The file is empty now. */
  begin(): void {
    const { hasBanner } = this.#shape;
    this.segments.push({ fate: "kept", hasBanner, firstLine: this.#written, lines: 0 });
    if (hasBanner) this.#write(BANNER);
  }

  append(lines: number = this.#shape.lines): void {
    const { firstLine, lines: before, fate } = this.current;
    const added = { fate, hasBanner: false, firstLine: firstLine + before, lines };
    this.#write(this.bytesOf(added));
    this.current.lines += lines;
    this.#written += lines;
  }

  /** Appends until the file is longer than so many bytes. */
  appendPast(bytes: number): void {
    do this.append();
    while (statSync(this.path).size <= bytes);
  }

  /** Cuts the file, which goes on being written to. */
  truncate(): void {
    truncateSync(this.path);
    this.begin();
  }

  /** Makes room for a new `.1`: every older sibling gets one further, compressed or not. */
  shift(): void {
    let oldest = 0;
    while (this.#siblingOf(oldest + 1) !== undefined) oldest += 1;
    for (let age = oldest; age >= 1; age--) {
      const from = this.#siblingOf(age) ?? "";
      const suffix = from.endsWith(".gz") ? ".gz" : "";
      renameSync(from, `${this.path}.${age + 1}${suffix}`);
    }
  }

  /** A file beside the log. */
  beside(name: string): string {
    return join(dirname(this.path), `${basename(this.path)}${name}`);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #siblingOf(age: number): string | undefined {
    return [`.${age}`, `.${age}.gz`].map((name) => this.beside(name)).find(existsSync);
  }

  #write(bytes: Buffer): void {
    if (this.#file === undefined) throw new Error(`${this.path} is not open`);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
  }
}
