import { SEVERITY_MAX } from "@sluice/quantity";
import type { LevelTerm } from "./ast.ts";

/**
 * What a filter says of records by their severities alone, bit n for severity n: a record whose bit is not in `may`
 * does not match, one whose bit is in `must` matches. Every bit of `must` is in `may`.
 */
export interface SeverityMasks {
  readonly may: number;
  readonly must: number;
}

/** Every severity's bit, unknown (0) included. */
export const ALL_SEVERITIES: number = 2 ** (SEVERITY_MAX + 1) - 1;

export const EVERY_RECORD: SeverityMasks = { may: ALL_SEVERITIES, must: ALL_SEVERITIES };
export const NO_RECORD: SeverityMasks = { may: 0, must: 0 };
/** Only the records themselves can say. */
export const ANY_RECORD: SeverityMasks = { may: ALL_SEVERITIES, must: 0 };

export function masksOfLevel({ min, max }: Pick<LevelTerm, "min" | "max">): SeverityMasks {
  let mask = 0;
  for (let severity = Math.max(min, 0); severity <= Math.min(max, SEVERITY_MAX); severity++) {
    mask |= 1 << severity;
  }
  return { may: mask, must: mask };
}

export function allMasks(parts: readonly SeverityMasks[]): SeverityMasks {
  return parts.reduce(
    (all, part) => ({ may: all.may & part.may, must: all.must & part.must }),
    EVERY_RECORD,
  );
}

export function anyMasks(parts: readonly SeverityMasks[]): SeverityMasks {
  return parts.reduce(
    (any, part) => ({ may: any.may | part.may, must: any.must | part.must }),
    NO_RECORD,
  );
}

export function notMasks({ may, must }: SeverityMasks): SeverityMasks {
  return { may: ALL_SEVERITIES & ~must, must: ALL_SEVERITIES & ~may };
}
