import { err, ok } from "./result.ts";
import type { Result } from "./result.ts";

/** Severity numbers run from 1 (trace) to 24 (fatal4); 0 is unknown. Source: OpenTelemetry, logs data model. */
export const SEVERITY_MAX = 24;

const NAMES = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

export type SeverityName = "unknown" | (typeof NAMES)[number];

/** An inclusive range of severity numbers. Contains 0 only where it is exactly 0 to 0. */
export interface SeverityRange {
  readonly min: number;
  readonly max: number;
}

/** Syslog's words for less than a whole level sit on the number that `syslogSeverity` gives to them. */
const LEVELS: ReadonlyMap<string, SeverityRange> = new Map<string, SeverityRange>([
  ["unknown", { min: 0, max: 0 }],
  ...NAMES.map((name, index): [string, SeverityRange] => [name, levelRange(index)]),
  ["dbg", levelRange(1)],
  ["information", levelRange(2)],
  ["notice", { min: 10, max: 10 }],
  ["warning", levelRange(3)],
  ["err", levelRange(4)],
  ["crit", { min: 18, max: 18 }],
  ["critical", { min: 18, max: 18 }],
  ["alert", { min: 19, max: 19 }],
  ["emerg", levelRange(5)],
  ["panic", levelRange(5)],
]);

/** RFC 5424's severities 0 (emergency) to 7 (debug), as OpenTelemetry's mapping table places them. */
const FROM_SYSLOG: readonly number[] = [21, 19, 18, 17, 13, 10, 9, 5];

const COMPARISON = /^(>=|<=|>|<|=|)\s*([a-z]+)$/;

/** The level that holds a severity number: 13 to 16 are `warn`. Throws a RangeError outside 0 to 24. */
export function severityName(severity: number): SeverityName {
  if (!Number.isInteger(severity) || severity < 0 || severity > SEVERITY_MAX) {
    throw new RangeError(`a severity is a whole number from 0 to ${SEVERITY_MAX}, not ${severity}`);
  }
  return severity === 0 ? "unknown" : (NAMES[(severity - 1) >> 2] ?? "unknown");
}

/** Reads a level's name or alias, in any case: `warn` and `warning` are 13 to 16, `crit` is 18, `unknown` is 0. */
export function parseLevel(text: string): Result<SeverityRange> {
  const range = LEVELS.get(text.trim().toLowerCase());
  return range === undefined ? err(`expected a level: unknown, ${NAMES.join(", ")}`) : ok(range);
}

/**
 * Reads a level with an optional comparison: `warn`, `>=warn` (13 to 24), `<warn` (1 to 12). An unknown severity has no
 * place in the order, so only `unknown` itself matches it.
 */
export function parseLevelRange(text: string): Result<SeverityRange> {
  const match = COMPARISON.exec(text.trim().toLowerCase());
  const level = parseLevel(match?.[2] ?? "");
  if (!level.ok) {
    return err(`${level.error}, or a comparison such as >=warn`);
  }
  const { min, max } = level.value;
  const comparison = match?.[1] ?? "";
  if (comparison === "" || comparison === "=") {
    return level;
  }
  if (max === 0) {
    return err("an unknown level is neither above nor below another; write unknown by itself");
  }
  const range = compare(comparison, min, max);
  return range.min > range.max ? err(`no level is ${match?.[0] ?? text}`) : ok(range);
}

/** Gives the severity number of a syslog severity. Throws a RangeError outside 0 to 7. */
export function syslogSeverity(priority: number): number {
  const severity = FROM_SYSLOG[priority];
  if (severity === undefined) {
    throw new RangeError(`a syslog severity is a whole number from 0 to 7, not ${priority}`);
  }
  return severity;
}

function compare(comparison: string, min: number, max: number): SeverityRange {
  switch (comparison) {
    case ">=":
      return { min, max: SEVERITY_MAX };
    case ">":
      return { min: max + 1, max: SEVERITY_MAX };
    case "<=":
      return { min: 1, max };
    default:
      return { min: 1, max: min - 1 };
  }
}

function levelRange(index: number): SeverityRange {
  return { min: index * 4 + 1, max: index * 4 + 4 };
}
