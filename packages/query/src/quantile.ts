import type { ValueBudget } from "./pipeline-error.ts";

/** Values that are held as they are; more are counted in bins. */
const MAX_EXACT = 1000;
/** Ratio of neighbouring bins: a value read from one is off by half a percent at most. */
const GAMMA = 1.01;
const LOG_GAMMA = Math.log(GAMMA);
/** Keeps the keys of positive values above 0 down to the smallest double: ln(5e-324) / ln(1.01) is -74,900. */
const KEY_OFFSET = 100_000;

/** What a quantile holds: the values in no order, or how many there are in each bin. It can be cloned. */
export interface QuantileState {
  readonly exact: readonly number[];
  readonly bins: ReadonlyMap<number, number> | undefined;
}

/**
 * The value that a share of all values do not exceed, by nearest rank. Exact up to 1,000 values, then within 0.5 %:
 * logarithmic bins, as in DDSketch (Masson, Rim, Lee: VLDB 2019). What it reads is the same in whichever order the
 * values came, and over how many shares.
 */
export class Quantile {
  readonly #budget: ValueBudget;
  #exact: number[] = [];
  /** Once there are more values than are held. */
  #bins: Map<number, number> | undefined;

  constructor(budget: ValueBudget) {
    this.#budget = budget;
  }

  /** Takes a finite number. */
  add(value: number): void {
    if (this.#bins !== undefined) {
      this.#addToBin(this.#bins, binKey(value), 1);
      return;
    }
    this.#budget.take();
    this.#exact.push(value);
    if (this.#exact.length > MAX_EXACT) {
      this.#startBins();
    }
  }

  merge({ exact, bins }: QuantileState): void {
    for (const value of exact) {
      this.add(value);
    }
    if (bins !== undefined) {
      const own = this.#bins ?? this.#startBins();
      for (const [key, count] of bins) {
        this.#addToBin(own, key, count);
      }
    }
  }

  state(): QuantileState {
    return { exact: this.#exact, bins: this.#bins };
  }

  /** `share` is above 0, and 1 at most. Undefined while there is no value. */
  read(share: number): number | undefined {
    if (this.#bins === undefined) {
      return this.#exact.sort((a, b) => a - b)[Math.ceil(share * this.#exact.length) - 1];
    }
    const bins = Array.from(this.#bins).sort(([a], [b]) => a - b);
    const rank = Math.ceil(share * bins.reduce((sum, [, count]) => sum + count, 0));
    let seen = 0;
    for (const [key, count] of bins) {
      seen += count;
      if (seen >= rank) {
        return binValue(key);
      }
    }
    return undefined;
  }

  #startBins(): Map<number, number> {
    const bins = new Map<number, number>();
    const values = this.#exact;
    this.#bins = bins;
    this.#exact = [];
    this.#budget.give(values.length);
    for (const value of values) {
      this.#addToBin(bins, binKey(value), 1);
    }
    return bins;
  }

  #addToBin(bins: Map<number, number>, key: number, added: number): void {
    const count = bins.get(key);
    if (count === undefined) {
      this.#budget.take();
    }
    bins.set(key, (count ?? 0) + added);
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
