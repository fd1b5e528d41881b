import type { ValueBudget } from "./pipeline-error.ts";

/** Values that are held as they are; more are counted in bins. */
const MAX_EXACT = 1000;
/** Ratio of neighbouring bins: a value read from one is off by half a percent at most. */
const GAMMA = 1.01;
const LOG_GAMMA = Math.log(GAMMA);
/** Keeps the keys of positive values above 0 down to the smallest double: ln(5e-324) / ln(1.01) is -74,900. */
const KEY_OFFSET = 100_000;

/**
 * The value that a share of all values do not exceed, by nearest rank. Exact up to 1,000 values, then within 0.5 %:
 * logarithmic bins, as in DDSketch (Masson, Rim, Lee: VLDB 2019).
 */
export class Quantile {
  readonly #budget: ValueBudget;
  #exact: number[] | undefined = [];
  readonly #bins = new Map<number, number>();
  #count = 0;

  constructor(budget: ValueBudget) {
    this.#budget = budget;
  }

  /** Takes a finite number. */
  add(value: number): void {
    this.#count++;
    if (this.#exact === undefined) {
      this.#addToBin(value);
      return;
    }
    this.#budget.take();
    this.#exact.push(value);
    if (this.#exact.length > MAX_EXACT) {
      const values = this.#exact;
      this.#exact = undefined;
      this.#budget.give(values.length);
      for (const held of values) {
        this.#addToBin(held);
      }
    }
  }

  /** `share` is above 0, and 1 at most. Undefined while there is no value. */
  read(share: number): number | undefined {
    const rank = Math.ceil(share * this.#count);
    if (this.#exact !== undefined) {
      return this.#exact.sort((a, b) => a - b)[rank - 1];
    }
    let seen = 0;
    for (const key of Array.from(this.#bins.keys()).sort((a, b) => a - b)) {
      seen += this.#bins.get(key) ?? 0;
      if (seen >= rank) {
        return binValue(key);
      }
    }
    return undefined;
  }

  #addToBin(value: number): void {
    const key = binKey(value);
    const count = this.#bins.get(key);
    if (count === undefined) {
      this.#budget.take();
    }
    this.#bins.set(key, (count ?? 0) + 1);
  }
}

/** Bin i holds what is above GAMMA ** (i - 1) and up to GAMMA ** i; keys ascend as values do. */
function binKey(value: number): number {
  if (value === 0) {
    return 0;
  }
  return Math.sign(value) * (Math.ceil(Math.log(Math.abs(value)) / LOG_GAMMA) + KEY_OFFSET);
}

/** The value with the same relative distance to both ends of its bin. */
function binValue(key: number): number {
  if (key === 0) {
    return 0;
  }
  const index = Math.abs(key) - KEY_OFFSET;
  return (Math.sign(key) * 2 * GAMMA ** index) / (GAMMA + 1);
}
