/* oxlint-disable typescript/no-non-null-assertion -- the hot loop of compaction: every index is masked or below a length */
import {
  FOLDED_WORD_BYTES,
  MIN_WORD_BYTES,
  hashWordKey,
  WORD_SUM_FACTOR,
  wordKey,
} from "./word-hash.ts";

/** Room for the words of 1 MiB of most logs; 64 KiB, which a second-level cache holds. */
const FIRST_SLOTS = 16_384;

/** Collects the distinct words of texts, as hashes. Its tables are used again from text to text. */
export class TokenCollector {
  /** Open addressing over the words' sums; 0 marks a free slot. */
  #slots = new Uint32Array(FIRST_SLOTS);
  #shift = 32 - Math.log2(FIRST_SLOTS);
  #sums = new Uint32Array(FIRST_SLOTS / 2);
  #count = 0;

  /**
   * The hashes of a text's distinct words of at least MIN_WORD_BYTES bytes, each once and in no order; valid until the
   * next call. Words whose hashes are the same are one.
   */
  collect(text: Uint8Array): Uint32Array {
    this.#slots.fill(0);
    this.#count = 0;
    let slots = this.#slots;
    let mask = slots.length - 1;
    let shift = this.#shift;
    const end = text.length;
    let at = 0;
    while (at < end) {
      let code = FOLDED_WORD_BYTES[text[at]!]!;
      if (code === 0) {
        at++;
        continue;
      }
      const start = at;
      let sum = 0;
      do {
        sum = (Math.imul(sum, WORD_SUM_FACTOR) + code) | 0;
        at++;
        code = at < end ? FOLDED_WORD_BYTES[text[at]!]! : 0;
      } while (code !== 0);
      if (at - start < MIN_WORD_BYTES) {
        continue;
      }
      const key = wordKey(sum);
      let slot = Math.imul(sum, WORD_SUM_FACTOR) >>> shift;
      while (slots[slot] !== key && slots[slot] !== 0) {
        slot = (slot + 1) & mask;
      }
      if (slots[slot] === 0) {
        slots[slot] = key;
        this.#sums[this.#count++] = key;
        if (this.#count === this.#sums.length) {
          this.#grow();
          slots = this.#slots;
          mask = slots.length - 1;
          shift = this.#shift;
        }
      }
    }
    const hashes = this.#sums.subarray(0, this.#count);
    for (let i = 0; i < hashes.length; i++) {
      hashes[i] = hashWordKey(hashes[i]!);
    }
    return hashes;
  }

  /** Doubles the tables, so that at most half of the slots are ever taken. */
  #grow(): void {
    const sums = new Uint32Array(this.#sums.length * 2);
    sums.set(this.#sums);
    const slots = new Uint32Array(this.#slots.length * 2);
    const shift = this.#shift - 1;
    for (let i = 0; i < this.#count; i++) {
      let slot = Math.imul(sums[i]!, WORD_SUM_FACTOR) >>> shift;
      while (slots[slot] !== 0) {
        slot = (slot + 1) & (slots.length - 1);
      }
      slots[slot] = sums[i]!;
    }
    this.#sums = sums;
    this.#slots = slots;
    this.#shift = shift;
  }
}
