import type { SeverityRange } from "@sluice/quantity";

export const MULTILINE_PRESETS = ["java", "python", "go", "ruby", "javascript"] as const;
type MultilinePreset = (typeof MULTILINE_PRESETS)[number];

export const PARSE_FORMATS = ["json", "logfmt", "syslog", "nginx", "apache"] as const;
type ParseFormat = (typeof PARSE_FORMATS)[number];

export const REDACT_PRESETS = ["secrets", "cards", "email", "tokens"] as const;
export type RedactPreset = (typeof REDACT_PRESETS)[number];

/** Which lines are one record. Patterns are in the syntax of RE2, here and below. */
export interface MultilineSettings {
  readonly rule:
    | MultilinePreset
    /** At least one of them. */
    | { readonly start: string | undefined; readonly continue: string | undefined };
  readonly maxLines: number;
  /** At most `LIMITS.recordBytes`. */
  readonly maxBytes: number;
  /** A record that may go on is taken as it is after so much silence. */
  readonly maxWaitMs: number;
}

export interface ParseSettings {
  readonly format: ParseFormat | { readonly regex: string };
  /** Which fields become attributes; undefined for all. */
  readonly fields: readonly string[] | undefined;
  /** The field that holds the event time; undefined for the usual names. */
  readonly time: string | undefined;
}

export interface SeveritySettings {
  /** The field that holds the level; undefined for the usual names. */
  readonly field: string | undefined;
  /** From the field's text to a severity number. */
  readonly map: Readonly<Record<string, number>>;
  /** Severity number of a record that says none. */
  readonly default: number | undefined;
}

export interface SampleSettings {
  /** Share of the records that is kept, 0 to 1. */
  readonly keep: number;
  /** Severities that are always kept. */
  readonly unless: SeverityRange | undefined;
}

export interface RateLimitSettings {
  readonly linesPerSecond: number;
  readonly burst: number;
}

export type RedactRule =
  | RedactPreset
  /** `replace` may refer to groups as `$1`. */
  | { readonly pattern: string; readonly replace: string };

/**
 * What is done to each record of a source before it leaves the host; absent where nothing is. Plain
 * data, so that two configurations can be compared.
 */
export interface ProcessingSettings {
  readonly multiline?: MultilineSettings | undefined;
  readonly parse?: ParseSettings | undefined;
  readonly severity?: SeveritySettings | undefined;
  /** A record that none of them matches is dropped; empty or absent: all are kept. */
  readonly includeLines?: readonly string[] | undefined;
  /** A record that one of them matches is dropped. */
  readonly excludeLines?: readonly string[] | undefined;
  readonly sample?: SampleSettings | undefined;
  readonly rateLimit?: RateLimitSettings | undefined;
  readonly redact?: readonly RedactRule[] | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}
