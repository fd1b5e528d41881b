import { err, ok } from "./result.ts";
import type { Result } from "./result.ts";

declare const durationBrand: unique symbol;

/** A length of time in whole milliseconds, 0 to 2^53 - 1. */
export type DurationMs = number & { readonly [durationBrand]: true };

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

const EXPECTED = "expected a duration such as 7d or 1h30m";
const WHOLE = /^(?:\d+(?:\.\d+)? ?(?:ms|[smhdw]) ?)+$/;
const PART = /(\d+(?:\.\d+)?) ?(ms|[smhdw])/g;

/** Checks a number of milliseconds. Throws a RangeError for anything but a safe integer from 0. */
export function durationMs(ms: number): DurationMs {
  if (!isDurationMs(ms)) {
    throw new RangeError(`a duration is a whole number of milliseconds from 0, not ${ms}`);
  }
  return ms;
}

/**
 * Reads `500ms`, `90s`, `15m`, `1h30m`, `7d`, `2w`, `1.5h` and what `formatDuration` prints. Units go from large to
 * small, each at most once; a day is 24 hours, a week 7 days. Fractions are rounded to a millisecond.
 * The error is a sentence without the offending text, for the caller to put a place in front of.
 */
export function parseDuration(text: string): Result<DurationMs> {
  const trimmed = text.trim();
  // A plain cut-off keeps the pattern's work trivial for hostile input.
  if (trimmed.length > 100 || !WHOLE.test(trimmed)) {
    return err(EXPECTED);
  }
  let totalMs = 0;
  let previousUnitMs = Number.POSITIVE_INFINITY;
  for (const [, amount, unit] of trimmed.matchAll(PART)) {
    const unitMs = UNIT_MS[unit ?? ""] ?? Number.NaN;
    if (unitMs >= previousUnitMs) {
      return err(`${EXPECTED}, with each unit once and the largest first`);
    }
    previousUnitMs = unitMs;
    totalMs += Math.round(Number(amount) * unitMs);
  }
  return isDurationMs(totalMs)
    ? ok(totalMs)
    : err("the duration is too long (the limit is 285,000 years)");
}

/**
 * Prints a duration exactly to the millisecond: `3d`, `1h 30m`, `1m 2.5s`, `250 ms`, `0s`. `parseDuration` reads it back.
 * A fraction of a millisecond is rounded. Throws a RangeError below 0 and for what is not a number.
 */
export function formatDuration(ms: number): string {
  let restMs: number = durationMs(Math.round(ms));
  if (restMs === 0) {
    return "0s";
  }
  if (restMs < SECOND_MS) {
    return `${restMs} ms`;
  }
  const parts: string[] = [];
  for (const [unitMs, unit] of [
    [DAY_MS, "d"],
    [HOUR_MS, "h"],
    [MINUTE_MS, "m"],
  ] as const) {
    if (restMs >= unitMs) {
      parts.push(`${Math.floor(restMs / unitMs)}${unit}`);
      restMs %= unitMs;
    }
  }
  if (restMs > 0) {
    parts.push(`${restMs / SECOND_MS}s`);
  }
  return parts.join(" ");
}

function isDurationMs(ms: number): ms is DurationMs {
  return Number.isSafeInteger(ms) && ms >= 0;
}
