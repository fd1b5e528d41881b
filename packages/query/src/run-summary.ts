import type { RecordColumns } from "@sluice/protocol";
import type { Zone } from "@sluice/quantity";
import type { Aggregate, Filter, GroupKey, Query, Stage, StatsStage } from "./ast.ts";
import type { StreamIdentity } from "./record-field.ts";
import type { RecordRef } from "./row-shape.ts";
import type { SeverityMasks } from "./severity-mask.ts";
import { groupsOfTop } from "./stats-stage.ts";
import type { Grouping } from "./stats-stage.ts";
import { compileTimeBucket } from "./time-bucket.ts";

/** What is known of a run of one stream's records without reading them. */
export interface RunSummary {
  readonly stream: StreamIdentity;
  /** At least 1. */
  readonly count: number;
  /** The least and the greatest event time among them. */
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  /** Bit n is set when a record of severity n is among them. */
  readonly severities: number;
  /** How many there are of each severity, where that is known. */
  readonly severityCounts?: ArrayLike<number> | undefined;
}

/** Adds a whole run to groups, or says that it takes the records. */
export type RunCount = (run: RunSummary, matching: SeverityMasks) => boolean;

/** What of their summaries an answer needs to be had without the records. */
export interface MetadataStats {
  /** Whether streams are told apart: if not, summaries of several may be added up. */
  readonly byStream: boolean;
  /** Whether severities are told apart: then a run of several needs its `severityCounts`. */
  readonly bySeverity: boolean;
  /** Into how long buckets of time records are sorted: a run must lie in one. */
  readonly bucketMs: number | undefined;
}

/** How the stages' first one takes a whole run. */
interface RunReading extends MetadataStats {
  /** Whether a time is asked for that of the whole run only is known. */
  readonly readsTime: boolean;
  readonly onlyCounts: boolean;
}

/** Fields that every record of a run and of one severity has in common. */
const OF_STREAM = new Set(["host", "source"]);
const OF_SEVERITY = new Set(["level", "severity"]);

/**
 * Whether a query can be answered from summaries of runs, each of which the time range and retention leave whole, and
 * what for: it counts, and both what it counts and what by is decided by streams, severities and times.
 */
export function metadataStats({ filter, stages }: Query): MetadataStats | undefined {
  const reading = readRuns(stages);
  const decidedBy = decidingFields(filter);
  return reading === undefined || decidedBy === undefined
    ? undefined
    : {
        byStream: reading.byStream || decidedBy.some((name) => OF_STREAM.has(name)),
        bySeverity: reading.bySeverity || decidedBy.some((name) => OF_SEVERITY.has(name)),
        bucketMs: reading.bucketMs,
      };
}

/**
 * Gives the function that adds a whole run to groups of records, or undefined where the first stage reads records.
 * `matching` is what the filter says of the run's stream.
 */
export function compileRunCount(
  stages: readonly Stage[],
  grouping: Grouping<RecordRef>,
  zone: Zone,
): RunCount | undefined {
  const reading = readRuns(stages);
  if (reading === undefined) {
    return undefined;
  }
  const { bySeverity, bucketMs, readsTime } = reading;
  const bucket = bucketMs === undefined ? () => 0 : compileTimeBucket(bucketMs, zone);
  return (run, { may, must }) => {
    const { severities, severityCounts } = run;
    const matched = must & severities;
    if (((may ^ must) & severities) !== 0) {
      return false;
    }
    if (matched === 0) {
      return true;
    }
    if (bucket(run.minTimeUs) !== bucket(run.maxTimeUs)) {
      return false;
    }
    const isMixed = (severities & (severities - 1)) !== 0;
    if (!isMixed || (matched === severities && !bySeverity)) {
      addRecords(grouping, run, 31 - Math.clz32(matched), run.count, readsTime);
      return true;
    }
    if (severityCounts === undefined || readsTime) {
      return false;
    }
    for (let severity = 0; severity < severityCounts.length; severity++) {
      const count = severityCounts[severity] ?? 0;
      if (count > 0 && (matched & (1 << severity)) !== 0) {
        addRecords(grouping, run, severity, count, false);
      }
    }
    return true;
  };
}

/** Adds a run's records that are of one severity as far as the groups are concerned. */
function addRecords(
  grouping: Grouping<RecordRef>,
  { stream, minTimeUs, maxTimeUs }: RunSummary,
  severity: number,
  count: number,
  readsTime: boolean,
): void {
  if (readsTime && count > 1) {
    grouping.add({ stream, columns: recordAt(minTimeUs, severity), index: 0 }, 1);
    grouping.add({ stream, columns: recordAt(maxTimeUs, severity), index: 0 }, count - 1);
  } else {
    grouping.add({ stream, columns: recordAt(minTimeUs, severity), index: 0 }, count);
  }
}

/** A record that stands for those of a run, whose bodies are not asked for. */
function recordAt(timeUs: number, severity: number): RecordColumns {
  return {
    count: 1,
    timesUs: Float64Array.of(timeUs),
    severities: Uint8Array.of(severity),
    bodyOffsets: Uint32Array.of(0, 1),
    bodies: Uint8Array.of(0x0a),
    attributes: undefined,
  };
}

/** What the first stage reads of records; undefined where that is more than what runs tell. */
export function readRuns([first]: readonly Stage[]): RunReading | undefined {
  const stage = first?.kind === "top" ? groupsOfTop(first) : first;
  if (stage?.kind !== "stats" || !stage.aggregates.every(readsRuns)) {
    return undefined;
  }
  const fields = fieldsOf(stage);
  const known = new Set([...OF_STREAM, ...OF_SEVERITY]);
  const isKnown = stage.by.every((key) => key.kind === "time" || known.has(key.field));
  return isKnown
    ? {
        byStream: fields.some((name) => OF_STREAM.has(name)),
        bySeverity: fields.some((name) => OF_SEVERITY.has(name)),
        bucketMs: stage.by.find((key) => key.kind === "time")?.bucketMs,
        readsTime: fields.includes("time"),
        onlyCounts: stage.aggregates.every(({ kind }) => kind === "count"),
      }
    : undefined;
}

/** Whether a function's result follows from which values there are, and how many rows. */
function readsRuns(aggregate: Aggregate): boolean {
  switch (aggregate.kind) {
    case "count":
      return true;
    case "min":
    case "max":
      return ["time", ...OF_STREAM, ...OF_SEVERITY].includes(aggregate.field);
    case "uniq":
      return [...OF_STREAM, ...OF_SEVERITY].includes(aggregate.field);
    case "avg":
    case "p95":
      return false;
    default:
      return aggregate satisfies never;
  }
}

function fieldsOf({ aggregates, by }: StatsStage): readonly string[] {
  const keys = by.flatMap((key: GroupKey) => (key.kind === "field" ? [key.field] : []));
  return [...keys, ...aggregates.flatMap((one) => (one.kind === "count" ? [] : [one.field]))];
}

/** The fields that decide a filter; undefined where it takes the records themselves. */
function decidingFields(filter: Filter): readonly string[] | undefined {
  switch (filter.kind) {
    case "all":
      return [];
    case "level":
      return ["level"];
    case "field":
      return OF_STREAM.has(filter.name) ? [filter.name] : undefined;
    case "and":
    case "or": {
      const parts = filter.parts.map(decidingFields);
      return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    }
    case "not":
      return decidingFields(filter.part);
    case "text":
    case "regex":
      return undefined;
    default:
      return filter satisfies never;
  }
}
