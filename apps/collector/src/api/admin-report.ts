import { formatTimeRfc3339, timeUs } from "@sluice/quantity";
import type { StoreReader } from "@sluice/store";
import type { Volume } from "@sluice/retention";
import * as z from "zod";

const count = z.int().nonnegative();
/** RFC 3339 in UTC with microseconds. */
const time = z.string();

/** `sluice gaps --json`: every accounted loss, the latest first. */
export const GAP_LIST = z.array(
  z.object({
    host: z.string(),
    source: z.string(),
    generation: count,
    /** Sequence number of the record that follows the gap. */
    seq: count,
    cause: z.string(),
    range: z.union([
      z.literal("unknown"),
      z.object({
        fromByte: count.optional(),
        toByte: count.optional(),
        bytes: count.optional(),
      }),
    ]),
    detail: z.string(),
    /** Records that are missing; 0 where their number is not known. */
    records: count,
    /** When the agent noticed, by its clock; null where no agent said it. */
    noticed: time.nullable(),
    received: time,
  }),
);

/** `sluice jobs --json`: what the collector did on its own account, the latest first. */
export const JOB_LIST = z.array(
  z.object({
    id: count,
    kind: z.string(),
    due: time,
    started: time,
    tookMs: z.number().nonnegative(),
    outcome: z.record(z.string(), z.number()),
    detail: z.string(),
  }),
);

/** `sluice stats --json`. */
export const STATS_REPORT = z.object({
  storeId: z.string(),
  agents: count,
  /** Null where no running collector was asked. */
  connectedAgents: count.nullable(),
  streams: count,
  /** In the head: not yet in a segment. */
  batches: count,
  segments: count,
  blocks: count,
  records: count,
  /** Of the bodies, with the LF that ended each. */
  bodyBytes: count,
  /** Compressed: payloads of the head, and segment files. */
  payloadBytes: count,
  /** Every file under data_dir but the ballast. */
  diskBytes: count,
  diskFreeBytes: count,
  /** Receipt times; null where nothing is stored. */
  oldestReceived: time.nullable(),
  newestReceived: time.nullable(),
  gaps: count,
  /** Why nothing is dropped for its age at the moment; null where the clock is trusted. */
  clockSuspect: z.string().nullable(),
  /** Why agents have no credit at the moment; null where they have, or no running collector was asked. */
  ingestPaused: z.string().nullable(),
});

export type GapReport = z.infer<typeof GAP_LIST>[number];
export type JobReport = z.infer<typeof JOB_LIST>[number];
export type StatsReport = z.infer<typeof STATS_REPORT>;

export function listGaps(reader: Pick<StoreReader, "gaps">): GapReport[] {
  return reader
    .gaps()
    .toSorted((a, b) => b.receivedUs - a.receivedUs)
    .map(({ receivedUs, noticedUs, ...gap }) => ({
      ...gap,
      noticed: noticedUs === undefined ? null : formatUs(noticedUs),
      received: formatUs(receivedUs),
    }));
}

export function listJobs(reader: Pick<StoreReader, "jobs">): JobReport[] {
  return reader
    .jobs()
    .toSorted((a, b) => b.id - a.id)
    .map(({ dueUs, startedUs, ...job }) => ({
      ...job,
      due: formatUs(dueUs),
      started: formatUs(startedUs),
    }));
}

export interface StatsFacts {
  /** Undefined where no running collector was asked. */
  readonly connectedAgents: number | undefined;
  readonly volume: Volume;
  readonly clockSuspect: string | undefined;
  readonly ingestPaused: string | undefined;
}

export function reportStats(
  reader: Pick<StoreReader, "storeId" | "stats" | "streams">,
  facts: StatsFacts,
): StatsReport {
  const { oldestReceivedUs, newestReceivedUs, ...stats } = reader.stats();
  return {
    storeId: reader.storeId,
    ...stats,
    connectedAgents: facts.connectedAgents ?? null,
    diskFreeBytes: facts.volume.freeBytes,
    oldestReceived: oldestReceivedUs === undefined ? null : formatUs(oldestReceivedUs),
    newestReceived: newestReceivedUs === undefined ? null : formatUs(newestReceivedUs),
    gaps: reader.streams().reduce((sum, { gaps }) => sum + gaps, 0),
    clockSuspect: facts.clockSuspect ?? null,
    ingestPaused: facts.ingestPaused ?? null,
  };
}

function formatUs(us: number): string {
  return formatTimeRfc3339(timeUs(us));
}
