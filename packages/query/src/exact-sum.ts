// Looked up for every value: an index is in range by the loop's own bounds.
/* oxlint-disable typescript/no-non-null-assertion */

/** What a sum holds; the parts may differ between equal sums. It can be cloned into another thread. */
export interface ExactSumState {
  readonly parts: readonly number[];
  readonly huge: bigint;
}

/** Numbers from here on are whole, and are added up as such: parts of them could overflow. */
const HUGE = 2 ** 900;

/**
 * A sum of finite doubles that is rounded once, when it is read: the same in whichever order and over how many shares
 * it was added up. Source: Shewchuk, Adaptive Precision Floating-Point Arithmetic (1997), as in Python's `math.fsum`.
 */
export class ExactSum {
  /** The sum of safe integers, which itself is one: nearly all there is in logs. */
  #whole = 0;
  /** Ascending in magnitude, no two of them overlapping in their bits. */
  readonly #parts: number[] = [];
  #huge = 0n;

  add(value: number): void {
    const whole = this.#whole + value;
    if (Number.isSafeInteger(value) && Number.isSafeInteger(whole)) {
      this.#whole = whole;
    } else if (Math.abs(value) >= HUGE) {
      this.#huge += BigInt(value);
    } else {
      addPart(this.#parts, value);
    }
  }

  merge({ parts, huge }: ExactSumState): void {
    for (const part of parts) {
      // Not as a value: what grew from many is not to change its place by its size.
      addPart(this.#parts, part);
    }
    this.#huge += huge;
  }

  state(): ExactSumState {
    return { parts: this.#allParts(), huge: this.#huge };
  }

  read(): number {
    const sum = roundParts(this.#allParts());
    return this.#huge === 0n ? sum : Number(this.#huge) + sum;
  }

  #allParts(): number[] {
    const parts = [...this.#parts];
    addPart(parts, this.#whole);
    return parts;
  }
}

function addPart(parts: number[], value: number): void {
  let kept = 0;
  let sum = value;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    const larger = Math.abs(sum) < Math.abs(part) ? part : sum;
    const smaller = larger === part ? sum : part;
    sum = larger + smaller;
    const lost = smaller - (sum - larger);
    if (lost !== 0) {
      parts[kept++] = lost;
    }
  }
  parts.length = kept;
  parts.push(sum);
}

/** The double next to the sum of the parts. */
function roundParts(parts: readonly number[]): number {
  let left = parts.length - 1;
  let sum = parts[left] ?? 0;
  let lost = 0;
  while (left > 0 && lost === 0) {
    const larger = sum;
    const smaller = parts[--left]!;
    sum = larger + smaller;
    lost = smaller - (sum - larger);
  }
  // Where what was lost is half of the last bit, the parts that are left say to which side it goes.
  if (left > 0 && Math.sign(lost) === Math.sign(parts[left - 1]!)) {
    const other = sum + 2 * lost;
    if (other - sum === 2 * lost) {
      return other;
    }
  }
  return sum;
}
