/**
 * The record model: what one log event is, and how many of them travel together.
 *
 * A record is an event time, a severity, the bytes of its body, and optional string attributes.
 * Records are never handled as objects on the way from a file to the disk; they are columns.
 */

/** Named string values of one record. Keys are unique; both sides are well-formed Unicode. */
export type Attributes = Readonly<Record<string, string>>;

/** OpenTelemetry's severity number: 1-24, and 0 where the severity is unknown. */
export const MAX_SEVERITY = 24;

/**
 * Event times are whole microseconds since the Unix epoch within +-(2^52 - 1): 1827 to 2112.
 * With that bound the difference of any two of them is a safe integer, which the codec relies on.
 */
export const MAX_TIME_US: number = 2 ** 52 - 1;

/**
 * Attribute that a truncated record carries: the length in bytes (decimal) that its body had before
 * it was cut to `LIMITS.recordBytes`.
 */
export const ORIGINAL_BYTES_ATTRIBUTE = "sluice.original_bytes";

/**
 * Columns of consecutive records of one stream, in the order of their sequence numbers.
 *
 * Body i is `bodies[bodyOffsets[i] .. bodyOffsets[i + 1] - 1)`. Each body is followed by exactly one
 * LF byte, so the bodies of a batch read from a file are that file's byte range verbatim. A body may
 * hold any bytes, LF included; the offsets decide.
 */
export interface RecordColumns {
  /** Number of records, 1 to `LIMITS.batchRecords`. */
  readonly count: number;
  /** Event times in microseconds since the Unix epoch; integers within +-MAX_TIME_US. */
  readonly timesUs: Float64Array;
  /** Severity numbers, 0 to MAX_SEVERITY. */
  readonly severities: Uint8Array;
  /** `count + 1` entries: where each body begins, and the length of `bodies`. */
  readonly bodyOffsets: Uint32Array;
  /** The bodies, each followed by one LF. */
  readonly bodies: Uint8Array;
  /** One entry per record, or undefined where no record has attributes. */
  readonly attributes: ReadonlyArray<Attributes | undefined> | undefined;
}
