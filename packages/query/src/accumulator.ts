import type { Aggregate } from "./ast.ts";
import { numberCell, numberOf } from "./cell.ts";
import type { Cell } from "./cell.ts";
import { ExactSum } from "./exact-sum.ts";
import type { ExactSumState } from "./exact-sum.ts";
import { compareNumbers } from "./number-literal.ts";
import type { NumberLiteral } from "./number-literal.ts";
import type { ValueBudget } from "./pipeline-error.ts";
import { Quantile } from "./quantile.ts";
import type { QuantileState } from "./quantile.ts";

/** One function of `stats` over the rows of one group. Its result does not depend on the rows' order. */
export interface Accumulator {
  /** Takes the field's cell of as many rows as `times` says; for `count` any cell. */
  readonly add: (cell: Cell, times: number) => void;
  /** Takes what another one of the same function holds. Throws a TypeError for one of another function. */
  readonly merge: (state: AccumulatorState) => void;
  /** What it holds, to be cloned before the next row. */
  readonly state: () => AccumulatorState;
  /** Undefined where no row gave a value; 0 of `count` and `uniq`. */
  readonly read: () => Cell;
}

export type AccumulatorState =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "extreme"; readonly best: NumberLiteral | undefined }
  | { readonly kind: "average"; readonly sum: ExactSumState; readonly count: number }
  | { readonly kind: "quantile"; readonly values: QuantileState }
  | { readonly kind: "unique"; readonly values: ReadonlySet<Cell> };

/** Cells that are no numbers do not count for `min`, `max`, `avg` and `p95`, missing ones only for `count`. */
export function makeAccumulator(kind: Aggregate["kind"], budget: ValueBudget): Accumulator {
  switch (kind) {
    case "count":
      return makeCount();
    case "min":
      return makeExtreme(-1);
    case "max":
      return makeExtreme(1);
    case "avg":
      return makeAverage();
    case "p95":
      return makeP95(budget);
    case "uniq":
      return makeUnique(budget);
    default:
      return kind satisfies never;
  }
}

function makeCount(): Accumulator {
  let count = 0;
  return {
    add: (_, times) => {
      count += times;
    },
    merge: (state) => {
      count += ofKind(state, "count").count;
    },
    state: () => ({ kind: "count", count }),
    read: () => count,
  };
}

/** `sign` is that of the order between a better number and the one before it. */
function makeExtreme(sign: 1 | -1): Accumulator {
  let best: NumberLiteral | undefined;
  const take = (number: NumberLiteral | undefined): void => {
    if (number === undefined) {
      return;
    }
    const order = best === undefined ? 1 : compareNumbers(number, best) * sign;
    // Of equal ones the integer is exact, whichever came first.
    if (order > 0 || (order === 0 && best?.integer === undefined)) {
      best = number;
    }
  };
  return {
    add: (cell) => take(numberOf(cell)),
    merge: (state) => take(ofKind(state, "extreme").best),
    state: () => ({ kind: "extreme", best }),
    read: () => (best === undefined ? undefined : numberCell(best)),
  };
}

function makeAverage(): Accumulator {
  const sum = new ExactSum();
  let count = 0;
  return {
    add: (cell, times) => {
      const value = finite(cell);
      if (value !== undefined) {
        count += times;
        for (let i = 0; i < times; i++) {
          sum.add(value);
        }
      }
    },
    merge: (state) => {
      const other = ofKind(state, "average");
      sum.merge(other.sum);
      count += other.count;
    },
    state: () => ({ kind: "average", sum: sum.state(), count }),
    read: () => (count === 0 ? undefined : sum.read() / count),
  };
}

function makeP95(budget: ValueBudget): Accumulator {
  const quantile = new Quantile(budget);
  return {
    add: (cell, times) => {
      const value = finite(cell);
      if (value !== undefined) {
        for (let i = 0; i < times; i++) {
          quantile.add(value);
        }
      }
    },
    merge: (state) => quantile.merge(ofKind(state, "quantile").values),
    state: () => ({ kind: "quantile", values: quantile.state() }),
    read: () => quantile.read(0.95),
  };
}

function makeUnique(budget: ValueBudget): Accumulator {
  const seen = new Set<Cell>();
  const take = (cell: Cell): void => {
    if (cell !== undefined && !seen.has(cell)) {
      budget.take();
      seen.add(cell);
    }
  };
  return {
    add: take,
    merge: (state) => ofKind(state, "unique").values.forEach(take),
    state: () => ({ kind: "unique", values: seen }),
    read: () => seen.size,
  };
}

function finite(cell: Cell): number | undefined {
  const value = numberOf(cell)?.value;
  // 0 added makes a negative zero plain.
  return value !== undefined && Number.isFinite(value) ? value + 0 : undefined;
}

function ofKind<K extends AccumulatorState["kind"]>(
  state: AccumulatorState,
  kind: K,
): Extract<AccumulatorState, { readonly kind: K }> {
  if (state.kind !== kind) {
    throw new TypeError(`the state of another query: ${state.kind} in place of ${kind}`);
  }
  return state as Extract<AccumulatorState, { readonly kind: K }>;
}
