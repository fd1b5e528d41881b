/**
 * Variable-length integers: unsigned LEB128, seven bits a byte, least significant first, of at most
 * 8 bytes and 2^53 - 1. Signed ones are zigzag encoded first (0, -1, 1, -2 ... -> 0, 1, 2, 3 ...),
 * with the sign split off before the multiplication so that every safe integer fits exactly.
 *
 * Each value has one encoding: a decoder refuses padding with zero groups.
 */

/** Longest encoding of a safe integer: 53 or 54 bits in groups of seven. */
export const MAX_VARINT_BYTES = 8;

/** Writes `value` (0 to 2^53 - 1) at `at` and returns the offset behind it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  while (value > 0x7fff_ffff) {
    target[at++] = (value % 128) | 0x80;
    value = Math.floor(value / 128);
  }
  let low = value | 0;
  while (low > 0x7f) {
    target[at++] = (low & 0x7f) | 0x80;
    low >>>= 7;
  }
  target[at++] = low;
  return at;
}

/** Writes a safe integer of either sign at `at` and returns the offset behind it. */
export function writeSignedVarint(target: Uint8Array, at: number, value: number): number {
  const sign = value < 0 ? 1 : 0;
  const magnitude = value < 0 ? -1 - value : value;
  if (magnitude < 0x3fff_ffff) return writeVarint(target, at, (magnitude << 1) | sign);
  // 2 * magnitude may exceed 2^53: the first group is taken off before anything is doubled.
  target[at] = 0x80 | ((magnitude % 64) << 1) | sign;
  return writeVarint(target, at + 1, Math.floor(magnitude / 64));
}

/** Bytes that `writeVarint` needs for `value`. */
export function varintBytes(value: number): number {
  let bytes = 1;
  while (value > 0x7f) {
    value = Math.floor(value / 128);
    bytes++;
  }
  return bytes;
}

/**
 * Reads varints off `bytes[at .. end)`. A malformed one (cut off, padded, too long, above 2^53 - 1)
 * yields NaN, after which the reader is good for nothing.
 */
export class VarintReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  /** Offset of the next byte to read. */
  at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.at === this.#end;
  }

  /** The next unsigned integer, or NaN. */
  read(): number {
    if (this.at >= this.#end) return NaN;
    const first = this.#bytes[this.at++] as number;
    return first < 0x80 ? first : this.#continue(first & 0x7f, 128);
  }

  /** The next signed integer, or NaN. */
  readSigned(): number {
    if (this.at >= this.#end) return NaN;
    const first = this.#bytes[this.at++] as number;
    let magnitude = (first & 0x7f) >>> 1;
    if (first >= 0x80) magnitude = this.#continue(magnitude, 64);
    if ((first & 1) === 0) return magnitude;
    return magnitude === Number.MAX_SAFE_INTEGER ? NaN : -1 - magnitude;
  }

  /** Adds the groups behind the first one, each weighing 128 times its predecessor. */
  #continue(value: number, weight: number): number {
    const bytes = this.#bytes;
    const end = Math.min(this.#end, this.at + MAX_VARINT_BYTES - 1);
    while (this.at < end) {
      const group = bytes[this.at++] as number;
      if (group < 0x80) {
        value += group * weight;
        return group === 0 || value > Number.MAX_SAFE_INTEGER ? NaN : value;
      }
      value += (group & 0x7f) * weight;
      weight *= 128;
    }
    return NaN;
  }
}
