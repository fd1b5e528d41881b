/* oxlint-disable typescript/no-non-null-assertion -- a hot loop of compaction: indices are masked or below a length */
import { FOLDED_WORD_BYTES, hashWordKey, WORD_SUM_FACTOR, wordKey } from "./word-hash.ts";

/** Room for the words of 1 MiB of most logs; 64 KiB, which a second-level cache holds. */
const FIRST_SLOTS = 16_384;

const LINE_FEED = Uint8Array.of(0x0a);

/** Collects the distinct words of texts, as hashes. Its tables are used again from text to text. */
export class TokenCollector {
  /** Open addressing over the words' keys; 0 marks a free slot. */
  #slots = new Int32Array(FIRST_SLOTS);
  #shift = 32 - Math.log2(FIRST_SLOTS);
  #keys = new Int32Array(FIRST_SLOTS / 2);
  #count = 0;

  /**
   * The hashes of a text's distinct words of at least two bytes, each once and in no order. Words whose hashes are the
   * same are one.
   */
  collect(text: Uint8Array): Uint32Array {
    this.#slots.fill(0);
    this.#count = 0;
    let end = text.length;
    while (end > 0 && FOLDED_WORD_BYTES[text[end - 1]!] !== 0) {
      end--;
    }
    this.#collectEnded(text, end);
    if (end < text.length) {
      this.#collectEnded(Buffer.concat([text.subarray(end), LINE_FEED]), text.length - end + 1);
    }
    const hashes = new Uint32Array(this.#count);
    for (let i = 0; i < hashes.length; i++) {
      hashes[i] = hashWordKey(this.#keys[i]!);
    }
    return hashes;
  }

  /** Collects from bytes before `end`, the last of which belongs to no word: so no loop need look for the end. */
  #collectEnded(text: Uint8Array, end: number): void {
    let slots = this.#slots;
    let shift = this.#shift;
    let at = 0;
    while (at < end) {
      let sum = FOLDED_WORD_BYTES[text[at++]!]!;
      if (sum === 0) {
        continue;
      }
      let code = FOLDED_WORD_BYTES[text[at++]!]!;
      if (code === 0) {
        continue;
      }
      do {
        sum = (Math.imul(sum, WORD_SUM_FACTOR) + code) | 0;
        code = FOLDED_WORD_BYTES[text[at++]!]!;
      } while (code !== 0);
      const key = wordKey(sum);
      let slot = Math.imul(key, WORD_SUM_FACTOR) >>> shift;
      while (slots[slot] !== key) {
        if (slots[slot] === 0) {
          slots[slot] = key;
          this.#keys[this.#count++] = key;
          if (this.#count === this.#keys.length) {
            this.#grow();
            slots = this.#slots;
            shift = this.#shift;
          }
          break;
        }
        slot = (slot + 1) & (slots.length - 1);
      }
    }
  }

  /** Doubles the tables, so that at most half of the slots are ever taken. */
  #grow(): void {
    const keys = new Int32Array(this.#keys.length * 2);
    keys.set(this.#keys);
    const slots = new Int32Array(this.#slots.length * 2);
    const shift = this.#shift - 1;
    for (let i = 0; i < this.#count; i++) {
      let slot = Math.imul(keys[i]!, WORD_SUM_FACTOR) >>> shift;
      while (slots[slot] !== 0) {
        slot = (slot + 1) & (slots.length - 1);
      }
      slots[slot] = keys[i]!;
    }
    this.#keys = keys;
    this.#slots = slots;
    this.#shift = shift;
  }
}
