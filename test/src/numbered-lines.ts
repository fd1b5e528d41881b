import { Prng } from "./corpus/prng.ts";

const NOISE_BYTES = 1 << 20;

/** Printable text that compresses about as well as base64 does. */
const NOISE: string = (() => {
  const random = new Prng(1);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let text = "";
  for (let i = 0; i < NOISE_BYTES; i++) text += alphabet[random.below(alphabet.length)];
  return text;
})();

/** Lines of one file that say which they are, so that a lost, doubled or moved one can be named. */
export class NumberedLines {
  readonly #file: number;
  readonly #meanBytes: number;

  constructor(file: number, meanBytes: number) {
    this.#file = file;
    this.#meanBytes = meanBytes;
  }

  /** Line `number` with its LF; always the same. */
  line(number: number): string {
    const mixed = Math.imul(number ^ (this.#file << 20), 0x9e3779b1) >>> 0;
    const bytes = mixed % (2 * this.#meanBytes);
    const at = (mixed >>> 7) % (NOISE_BYTES - bytes);
    return `${this.#file}:${number} ${NOISE.slice(at, at + bytes)}\n`;
  }

  /** Which line of this file a stored line claims to be; undefined where it is none. */
  numberOf(line: Uint8Array): number | undefined {
    const [, file, number] = /^(\d+):(\d+) /.exec(Buffer.from(line).toString("latin1")) ?? [];
    return Number(file) === this.#file ? Number(number) : undefined;
  }
}
