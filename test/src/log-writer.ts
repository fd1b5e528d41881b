import { closeSync, openSync, renameSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import type { Prng } from "./corpus/prng.ts";
import type { NumberedLines } from "./numbered-lines.ts";

/** Lines that are written at a time, at most. */
const BLOCK_LINES = 150;

export interface LogWriterOptions {
  readonly path: string;
  readonly lines: NumberedLines;
  readonly random: Prng;
  /** Lines after which the file is renamed to `path.1`, its older siblings one further each. */
  readonly rotateEvery: number;
}

/** A program that writes numbered lines to a log, and the rotation of that log. */
export class LogWriter implements Disposable {
  readonly path: string;
  readonly lines: NumberedLines;
  readonly #random: Prng;
  readonly #rotateEvery: number;
  #file: number;
  #written = 0;
  #rotations = 0;

  constructor({ path, lines, random, rotateEvery }: LogWriterOptions) {
    this.path = path;
    this.lines = lines;
    this.#random = random;
    this.#rotateEvery = rotateEvery;
    this.#file = openSync(path, "a");
  }

  /** Lines written so far. */
  get written(): number {
    return this.#written;
  }

  get rotations(): number {
    return this.#rotations;
  }

  /** Appends `count` lines, spread over `overMs`, in pieces that end anywhere. */
  async write(count: number, overMs: number): Promise<void> {
    const startMs = performance.now();
    for (let done = 0; done < count;) {
      const untilRotation = this.#rotateEvery - (this.#written % this.#rotateEvery);
      const block = Math.min(BLOCK_LINES, count - done, untilRotation);
      this.#append(block);
      done += block;
      await delay(Math.max(0, startMs + (overMs * done) / count - performance.now()));
    }
  }

  #append(block: number): void {
    let text = "";
    for (let i = 0; i < block; i++) text += this.lines.line(this.#written++);
    const bytes = Buffer.from(text, "latin1");
    const cut = this.#random.below(bytes.length);
    writeSync(this.#file, bytes, 0, cut);
    const isDue = this.#written % this.#rotateEvery === 0;
    // A program goes on writing to the renamed file until it is told to open the new one.
    if (isDue) this.#rename();
    writeSync(this.#file, bytes, cut);
    if (isDue) this.#reopen();
  }

  #rename(): void {
    for (let age = this.#rotations; age >= 1; age--) {
      renameSync(`${this.path}.${age}`, `${this.path}.${age + 1}`);
    }
    renameSync(this.path, `${this.path}.1`);
    this.#rotations += 1;
  }

  #reopen(): void {
    closeSync(this.#file);
    this.#file = openSync(this.path, "a");
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
