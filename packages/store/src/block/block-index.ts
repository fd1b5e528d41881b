/* oxlint-disable typescript/no-non-null-assertion -- loops over typed arrays of one length */
import { MAX_SEVERITY } from "@sluice/protocol";
import { type Result, ok } from "@sluice/quantity";
import { type BlockError, badBlock } from "./block-error.ts";
import { readMeta, suitsTimes } from "./index-meta.ts";
import { type LineOrder, orderLines } from "./line-order.ts";
import type { MarkedLayout } from "./line-pass.ts";
import type { Arrival, RunSpan } from "./run.ts";
import { unpackSections } from "./section.ts";
import { joinNanos, joinTimes } from "./time-column.ts";

/** All that is known of a block's records without their text. Records are in the order of their runs. */
export interface BlockIndex {
  readonly count: number;
  /** Event times in microseconds since the epoch. */
  readonly timesUs: Float64Array;
  readonly severities: Uint8Array;
  readonly seqs: Float64Array;
  /** Their counts sum to `count`; none reaches across runs. */
  readonly arrivals: readonly Arrival[];
  readonly runs: readonly RunSpan[];
  /** Nanoseconds (0 to 999) beyond each time, where timestamps that are not in the text tell them; else 0. */
  readonly nanos: Uint16Array;
  /** How timestamps that are not in the text are written. */
  readonly layouts: readonly MarkedLayout[];
  /** Which line of the text is which record's. */
  readonly order: LineOrder;
}

/** Decodes the index of a block whose sections are stated to be `rawBytes` in sum. */
export function decodeIndex(bytes: Uint8Array, rawBytes: number): Result<BlockIndex, BlockError> {
  const unpacked = unpackSections(bytes, rawBytes);
  if (!unpacked.ok) return unpacked;
  const [metaSection, groups, lineSeverities, ...planes] = unpacked.value;
  if (metaSection === undefined || groups === undefined || lineSeverities === undefined)
    return badBlock("an index without its sections");
  const count = groups.length;
  if (count === 0) return badBlock("an index without records");
  const meta = readMeta(metaSection, count);
  if (meta === undefined) return badBlock("the runs of the index are malformed");
  const { firstUs, units, layouts, runs, seqs, arrivals } = meta;
  const timePlanes = planes.slice(0, meta.planes);
  const timesUs = joinTimes({ firstUs, units, planes: timePlanes }, groups);
  const nanos = joinNanos(planes.slice(meta.planes), count);
  if (timesUs === undefined || nanos === undefined) return badBlock("the times are malformed");
  if (!suitsTimes(layouts, timesUs)) return badBlock("the layouts do not suit the times");
  const order = orderLines(groups);
  if (lineSeverities.length !== count) return badBlock("the severities are malformed");
  const severities = new Uint8Array(count);
  for (let line = 0; line < count; line++) {
    const severity = lineSeverities[line]!;
    if (severity > MAX_SEVERITY) return badBlock("a severity is out of range");
    severities[order.recordOf[line]!] = severity;
  }
  return ok({ count, timesUs, nanos, severities, seqs, arrivals, runs, layouts, order });
}
