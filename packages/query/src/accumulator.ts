import type { Aggregate } from "./ast.ts";
import { numberCell, numberOf } from "./cell.ts";
import type { Cell } from "./cell.ts";
import { compareNumbers } from "./number-literal.ts";
import type { NumberLiteral } from "./number-literal.ts";
import type { ValueBudget } from "./pipeline-error.ts";
import { Quantile } from "./quantile.ts";

/** One function of `stats` over the rows of one group. */
export interface Accumulator {
  /** Takes the field's cell of as many rows as `times` says; for `count` any cell. */
  readonly add: (cell: Cell, times: number) => void;
  /** Undefined where no row gave a value; 0 of `count` and `uniq`. */
  readonly read: () => Cell;
}

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
    read: () => count,
  };
}

/** `sign` is that of the order between a better number and the one before it. */
function makeExtreme(sign: 1 | -1): Accumulator {
  let best: NumberLiteral | undefined;
  return {
    add: (cell) => {
      const number = numberOf(cell);
      if (number !== undefined && (best === undefined || compareNumbers(number, best) * sign > 0)) {
        best = number;
      }
    },
    read: () => (best === undefined ? undefined : numberCell(best)),
  };
}

function makeAverage(): Accumulator {
  let sum = 0;
  let count = 0;
  return {
    add: (cell, times) => {
      const value = finite(cell);
      if (value !== undefined) {
        sum += value * times;
        count += times;
      }
    },
    read: () => (count === 0 ? undefined : sum / count),
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
    read: () => quantile.read(0.95),
  };
}

function makeUnique(budget: ValueBudget): Accumulator {
  const seen = new Set<Cell>();
  return {
    add: (cell) => {
      if (cell !== undefined && !seen.has(cell)) {
        budget.take();
        seen.add(cell);
      }
    },
    read: () => seen.size,
  };
}

function finite(cell: Cell): number | undefined {
  const value = numberOf(cell)?.value;
  return Number.isFinite(value) ? value : undefined;
}
