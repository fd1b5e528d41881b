import { err, ok } from "./result.ts";
import type { Result } from "./result.ts";

declare const bytesBrand: unique symbol;

/** An amount of data in whole bytes, 0 to 2^53 - 1. */
export type Bytes = number & { readonly [bytesBrand]: true };

/** Largest first, and decimal before binary: the order in which an exact size looks for its unit. */
const UNITS = [
  ["TiB", 2 ** 40],
  ["TB", 1e12],
  ["GiB", 2 ** 30],
  ["GB", 1e9],
  ["MiB", 2 ** 20],
  ["MB", 1e6],
  ["KiB", 2 ** 10],
  ["kB", 1e3],
  ["B", 1],
] as const;

const UNIT_BYTES: ReadonlyMap<string, number> = new Map(
  UNITS.map(([unit, bytes]) => [unit.toLowerCase(), bytes]),
);

const EXPECTED = "expected a size such as 50GB or 512MiB";
const SIZE = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i;

/** Checks a number of bytes. Throws a RangeError for anything but a safe integer from 0. */
export function byteCount(count: number): Bytes {
  if (!isBytes(count)) {
    throw new RangeError(`a size is a whole number of bytes from 0, not ${count}`);
  }
  return count;
}

/**
 * Reads `50GB`, `5GiB`, `512kB`, `1.5 TB` and `1024`. KB to TB are powers of 1000, KiB to TiB powers of 1024, in any
 * case; a bare number is bytes. Fractions are rounded to a byte. `50G` is refused, since tools disagree about it.
 */
export function parseSize(text: string): Result<Bytes> {
  const match = text.length > 100 ? null : SIZE.exec(text.trim());
  if (match === null) {
    return err(EXPECTED);
  }
  const [, amount = "", unit = ""] = match;
  const unitBytes = UNIT_BYTES.get(unit === "" ? "b" : unit.toLowerCase());
  if (unitBytes === undefined) {
    return err(`${EXPECTED}; units are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB`);
  }
  const count = Math.round(Number(amount) * unitBytes);
  return isBytes(count) ? ok(count) : err("the size is too large (the limit is 8 PiB)");
}

/** Prints a size for reading, in decimal units with three significant digits: `999 B`, `1.5 kB`, `47.3 GB`, `120 TB`. */
export function formatSize(count: number): string {
  const total: number = byteCount(Math.round(count));
  if (total < 1000) {
    return `${total} B`;
  }
  let scaled = total;
  for (const unit of ["kB", "MB", "GB", "TB"]) {
    scaled /= 1000;
    // 999.5 would print as 1000: it belongs to the next unit.
    if (scaled < 999.5 || unit === "TB") {
      const digits = scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
      return `${Number(scaled.toFixed(digits))} ${unit}`;
    }
  }
  throw new RangeError("unreachable: terabytes take every size");
}

/** Prints a size so that `parseSize` reads the same number back: `50GB`, `512MiB`, `1500B`. For configuration. */
export function formatExactSize(count: number): string {
  const total: number = byteCount(count);
  if (total === 0) {
    return "0B";
  }
  for (const [unit, unitBytes] of UNITS) {
    if (total % unitBytes === 0) {
      return `${total / unitBytes}${unit}`;
    }
  }
  throw new RangeError("unreachable: every size is a multiple of a byte");
}

function isBytes(count: number): count is Bytes {
  return Number.isSafeInteger(count) && count >= 0;
}
