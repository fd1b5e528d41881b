/** Reads what BitWriter writes. Behind the end stands an endless run of zeros, and `isOver` says so. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #endBit: number;
  #bit: number;

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#bit = from * 8;
    this.#endBit = bytes.length * 8;
  }

  /** Whether more was read than there is: what was read is then good for nothing. */
  get isOver(): boolean {
    return this.#bit > this.#endBit;
  }

  /** An unsigned number of `width` (0 to 32) bits. */
  read(width: number): number {
    let value = 0;
    let have = 0;
    while (have < width) {
      const offset = this.#bit & 7;
      const take = Math.min(8 - offset, width - have);
      const byte = this.#bytes[this.#bit >>> 3] ?? 0;
      value |= ((byte >>> offset) & ((1 << take) - 1)) << have;
      have += take;
      this.#bit += take;
    }
    return value >>> 0;
  }

  /** A Rice code; an unreasonable value where the bytes end within it. */
  readRice(parameter: number): number {
    let zeros = 0;
    while (this.#bit < this.#endBit) {
      const rest = (this.#bytes[this.#bit >>> 3] ?? 0) >>> (this.#bit & 7);
      if (rest === 0) {
        const skipped = 8 - (this.#bit & 7);
        zeros += skipped;
        this.#bit += skipped;
        continue;
      }
      const run = 31 - Math.clz32(rest & -rest);
      zeros += run;
      this.#bit += run;
      break;
    }
    this.#bit += 1;
    return zeros * 2 ** parameter + this.read(parameter);
  }
}
