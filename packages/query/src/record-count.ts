// Looks at every record: an index is in range by the loop's own bounds.
/* oxlint-disable typescript/no-non-null-assertion */
import type { RecordColumns } from "@sluice/protocol";
import { SEVERITY_MAX } from "@sluice/quantity";
import type { Zone } from "@sluice/quantity";
import type { Stage } from "./ast.ts";
import type { StreamIdentity } from "./record-field.ts";
import type { RecordRef } from "./row-shape.ts";
import { readRuns } from "./run-summary.ts";
import type { Grouping } from "./stats-stage.ts";
import { compileTimeBucket } from "./time-bucket.ts";

/** Takes records of one stream by their indices, or all of them. */
export type TakeMany = (
  stream: StreamIdentity,
  columns: RecordColumns,
  indices: ArrayLike<number> | undefined,
) => void;

/**
 * Gives the function that counts many records at once, where the first stage only counts, by streams, severities and
 * times; otherwise undefined. Neighbours of one group are added to it together.
 */
export function compileRecordCount(
  stages: readonly Stage[],
  grouping: Grouping<RecordRef>,
  zone: Zone,
): TakeMany | undefined {
  const reading = readRuns(stages);
  if (reading === undefined || !reading.onlyCounts) {
    return undefined;
  }
  const { bySeverity, bucketMs } = reading;
  if (!bySeverity && bucketMs === undefined) {
    return (stream, columns, indices) => {
      const count = indices === undefined ? columns.count : indices.length;
      if (count > 0) {
        grouping.add({ stream, columns, index: indices?.[0] ?? 0 }, count);
      }
    };
  }
  const bucket = bucketMs === undefined ? () => 0 : compileTimeBucket(bucketMs, zone);
  const counts = new Uint32Array(SEVERITY_MAX + 1);
  /** By severity a record of it in the bucket at hand, for its group. */
  const samples = new Uint32Array(SEVERITY_MAX + 1);
  return (stream, columns, indices) => {
    const { timesUs, severities } = columns;
    const count = indices === undefined ? columns.count : indices.length;
    let current = NaN;
    let seen = 0;
    const flush = (): void => {
      for (; seen !== 0; seen &= seen - 1) {
        const severity = 31 - Math.clz32(seen & -seen);
        grouping.add({ stream, columns, index: samples[severity]! }, counts[severity]);
        counts[severity] = 0;
      }
    };
    for (let i = 0; i < count; i++) {
      const index = indices === undefined ? i : indices[i]!;
      const start = bucket(timesUs[index]!);
      if (start !== current) {
        flush();
        current = start;
      }
      const severity = bySeverity ? severities[index]! : 0;
      counts[severity]!++;
      samples[severity] = index;
      seen |= 1 << severity;
    }
    flush();
  };
}
