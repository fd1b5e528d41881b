import type { ComparisonOperator } from "./ast.ts";

/** A decimal number as it was written. */
export interface NumberLiteral {
  readonly value: number;
  /** Sign and digits without leading zeros, where the number was written as a whole one; "-0" does not occur. */
  readonly integer: { readonly negative: boolean; readonly digits: string } | undefined;
}

const NUMBER = /^([+-]?)(?:(\d+)|(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)$/;
/** Integers of at most 15 digits are exact as numbers. */
const EXACT_DIGITS = 15;

/** No field that is meant as a number is longer, and none below is too long to become a BigInt in no time. */
const MAX_LENGTH = 400;

/** Reads `500`, `-0.25`, `1e9`, `.5`. Anything else, the empty text and surrounding space included, is undefined. */
export function parseNumberLiteral(text: string): NumberLiteral | undefined {
  const match = text.length > MAX_LENGTH ? null : NUMBER.exec(text);
  if (match === null) {
    return undefined;
  }
  const whole = match[2];
  if (whole === undefined) {
    return { value: Number(text), integer: undefined };
  }
  const digits = whole.replace(/^0+(?=\d)/, "");
  const negative = match[1] === "-" && digits !== "0";
  return { value: Number(text), integer: { negative, digits } };
}

/** Negative, 0 or positive. Exact for integers of any length; as IEEE doubles where either one is not an integer. */
export function compareNumbers(left: NumberLiteral, right: NumberLiteral): number {
  const a = left.integer;
  const b = right.integer;
  if (
    a === undefined ||
    b === undefined ||
    (a.digits.length <= EXACT_DIGITS && b.digits.length <= EXACT_DIGITS)
  ) {
    return left.value < right.value ? -1 : left.value > right.value ? 1 : 0;
  }
  if (a.negative !== b.negative) {
    return a.negative ? -1 : 1;
  }
  return a.negative ? compareDigits(b.digits, a.digits) : compareDigits(a.digits, b.digits);
}

/** Without leading zeros the longer number is the larger one, and digits of one length compare as texts. */
function compareDigits(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Tests a value's text against `number`, which must be a number. A text that is no number never passes. */
export function compileComparison(
  operator: ComparisonOperator,
  number: string,
): (value: string) => boolean {
  const right = parseNumberLiteral(number);
  if (right === undefined) {
    throw new RangeError(`not a number: ${number}`);
  }
  const holds = HOLDS[operator];
  return (value) => {
    const left = parseNumberLiteral(value);
    return left !== undefined && holds(compareNumbers(left, right));
  };
}

const HOLDS: Readonly<Record<ComparisonOperator, (order: number) => boolean>> = {
  ">=": (order) => order >= 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  "<": (order) => order < 0,
  "=": (order) => order === 0,
};
