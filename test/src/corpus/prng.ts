/**
 * A small, fast, seeded generator: sfc32 of PractRand (Chris Doty-Humphrey), seeded as its author
 * advises (the seed, a counter of 1, and twelve rounds to mix). Good for test data, never for secrets.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** The seed is any integer; its low 64 bits count. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed))
      throw new RangeError(`seed must be a safe integer, got ${seed}`);
    this.#a = 0;
    this.#b = seed | 0;
    this.#c = Math.floor(seed / 2 ** 32) | 0;
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** The next integer, 0..2^32-1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A fraction, 0 (inclusive) to 1 (exclusive). */
  fraction(): number {
    return this.uint32() / 4_294_967_296;
  }

  /** An integer, 0 (inclusive) to `limit` (exclusive). */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /**
   * An integer below `limit` that is small far more often than large (the cube of a fraction): as
   * with clients, users and messages, a few make up most of the traffic.
   */
  skewed(limit: number): number {
    const fraction = this.fraction();
    return Math.floor(fraction * fraction * fraction * limit);
  }
}
