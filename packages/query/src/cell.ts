import { compareNumbers, parseNumberLiteral } from "./number-literal.ts";
import type { NumberLiteral } from "./number-literal.ts";

/** A value in a row behind a stage. Times are numbers of microseconds; undefined is a field that is not there. */
export type Cell = string | number | bigint | undefined;

/** A cell made ready for comparing: a number where it reads as one, else its text. */
export type SortValue = NumberLiteral | string | undefined;

/** A cell as a number, where it is one or reads as one. */
export function numberOf(cell: Cell): NumberLiteral | undefined {
  switch (typeof cell) {
    case "number":
      return { value: cell, integer: undefined };
    case "string":
    case "bigint":
      return parseNumberLiteral(String(cell));
    default:
      return undefined;
  }
}

/** A number as a cell, exactly where it was written as an integer. */
export function numberCell({ value, integer }: NumberLiteral): Cell {
  if (integer === undefined || Number.isSafeInteger(value)) {
    // 0 added makes a negative zero plain.
    return value + 0;
  }
  const magnitude = BigInt(integer.digits);
  return integer.negative ? -magnitude : magnitude;
}

export function sortValue(cell: Cell): SortValue {
  return numberOf(cell) ?? (cell === undefined ? undefined : String(cell));
}

/** Numbers, then texts by their UTF-16 units; a missing value is last in either direction. */
export function compareSortValues(a: SortValue, b: SortValue, descending: boolean): number {
  if (a === undefined || b === undefined) {
    return Number(a === undefined) - Number(b === undefined);
  }
  const order =
    typeof a === "string"
      ? typeof b === "string"
        ? compareTexts(a, b)
        : 1
      : typeof b === "string"
        ? -1
        : compareNumbers(a, b);
  return descending ? -order : order;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
