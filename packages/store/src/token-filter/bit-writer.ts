/* oxlint-disable typescript/no-non-null-assertion -- indices are below the length that was just made sure of */

/** Writes numbers of any width up to 32 bits one behind the other, least significant bit first. */
export class BitWriter {
  #words = new Uint32Array(256);
  #bitLength = 0;

  reset(): void {
    this.#words.fill(0, 0, (this.#bitLength >>> 5) + 2);
    this.#bitLength = 0;
  }

  /** The low `width` bits (0 to 32) of a value that has none above them. */
  write(value: number, width: number): void {
    this.#reserve(width);
    const word = this.#bitLength >>> 5;
    const shift = this.#bitLength & 31;
    this.#words[word]! |= value << shift;
    if (shift + width > 32) {
      this.#words[word + 1] = value >>> (32 - shift);
    }
    this.#bitLength += width;
  }

  /** A Rice code (Rice and Plaist, 1971): `value >>> parameter` zeros, a one, the low `parameter` bits (0 to 30). */
  writeRice(value: number, parameter: number): void {
    const zeros = value >>> parameter;
    this.#reserve(zeros + 1 + parameter);
    this.#bitLength += zeros;
    this.write(1 | ((value & ((1 << parameter) - 1)) << 1), parameter + 1);
  }

  /** What was written, in whole bytes, behind `headBytes` free ones: in a buffer of its own. */
  toBuffer(headBytes: number): Buffer {
    const words = (this.#bitLength + 31) >>> 5;
    const bytes = Buffer.allocUnsafe(headBytes + words * 4);
    for (let word = 0; word < words; word++) {
      bytes.writeUInt32LE(this.#words[word]!, headBytes + word * 4);
    }
    return bytes.subarray(0, headBytes + ((this.#bitLength + 7) >>> 3));
  }

  #reserve(bits: number): void {
    const needed = ((this.#bitLength + bits) >>> 5) + 2;
    if (needed > this.#words.length) {
      const words = new Uint32Array(Math.max(needed, this.#words.length * 2));
      words.set(this.#words);
      this.#words = words;
    }
  }
}
