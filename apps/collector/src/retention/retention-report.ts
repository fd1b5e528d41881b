import { formatTimeRfc3339 } from "@sluice/quantity";
import { formatReason } from "@sluice/retention";
import type { Drop, DropReason, RetentionPlan, RetentionPolicy } from "@sluice/retention";
import * as z from "zod";

import { formatCount } from "../output/text-table.ts";
import type { StoredPlaces } from "./stored-places.ts";

const count = z.int().nonnegative();

/** What goes, by where it lies. */
const PLACES = {
  batches: count,
  /** Whole ones. */
  segments: count,
  /** Segments of which a part goes: they are written anew. */
  segmentParts: count,
};

const ROW = z.object({
  /** Counted from 1 as in the configuration's order; `default` for what no rule matches; null for a cap on everything. */
  rule: z.union([z.int().positive(), z.literal("default")]).nullable(),
  kind: z.enum(["age", "rule-size", "total-size", "min-free"]),
  /** The reason in words. */
  reason: z.string(),
  ...PLACES,
  records: count,
  bytes: count,
  /** Receipt times, RFC 3339 in UTC. */
  oldest: z.string(),
  newest: z.string(),
});

/** What a prune would drop now, and why: the answer of `GET /v1/retention/plan`. */
export const PLAN_REPORT = z.object({
  rows: z.array(ROW),
  /** A segment whose parts go for different reasons is a whole one here. */
  ...PLACES,
  records: count,
  /** Compressed, as they lie on disk. */
  bytes: count,
  /** What counts against `max_size`: everything under data_dir but the write-ahead log. */
  totalBytes: count,
  /** Caps that hold although everything that could go would have gone. */
  unmet: z.array(z.object({ reason: z.string(), missingBytes: count })),
  /** Why nothing goes for its age at the moment; null where the clock is trusted. */
  clockSuspect: z.string().nullable(),
});

/** A plan that was carried out: the answer of `POST /v1/prune`. */
export const PRUNE_REPORT = z.object({
  plan: PLAN_REPORT,
  /** What was removed. */
  ...PLACES,
  records: count,
  bytes: count,
  tookMs: z.number().nonnegative(),
  /** Every file under data_dir, measured before and after. Lines that arrive meanwhile count in the second. */
  diskBytesBefore: count,
  diskBytesAfter: count,
});

type PlanRow = z.infer<typeof ROW>;
type PlaceCounts = Pick<PlanRow, "batches" | "segments" | "segmentParts">;
export type PlanReport = z.infer<typeof PLAN_REPORT>;
export type PruneReport = z.infer<typeof PRUNE_REPORT>;

interface PlanFacts {
  readonly places: Pick<StoredPlaces, "placesOf">;
  readonly totalBytes: number;
  readonly clockSuspect: string | undefined;
}

export function reportPlan(
  plan: RetentionPlan,
  policy: RetentionPolicy,
  facts: PlanFacts,
): PlanReport {
  const drops = Map.groupBy(plan.drops, ({ reason }) => reason); // those of one reason share its object
  const rows = plan.summary.map(
    ({ reason, records, bytes, firstReceivedUs, lastReceivedUs }): PlanRow => ({
      rule: ruleOf(reason),
      kind: reason.kind,
      reason: formatReason(reason, policy),
      ...countPlaces(facts.places, drops.get(reason) ?? []),
      records,
      bytes,
      oldest: formatTimeRfc3339(firstReceivedUs),
      newest: formatTimeRfc3339(lastReceivedUs),
    }),
  );
  return {
    rows,
    ...countPlaces(facts.places, plan.drops),
    records: rows.reduce((sum, row) => sum + row.records, 0),
    bytes: plan.bytesReturned,
    totalBytes: facts.totalBytes,
    unmet: plan.unmet.map(({ reason, missingBytes }) => ({
      reason: formatReason(reason, policy),
      missingBytes,
    })),
    clockSuspect: facts.clockSuspect ?? null,
  };
}

/** The plan in one line, for a job and the log: `3 batches older than 30d (default)`. */
export function formatPlan(report: PlanReport): string {
  const parts = report.rows.map((row) => `${formatPlaces(row)}: ${row.reason}`);
  const suspended =
    report.clockSuspect === null ? [] : [`nothing for its age: ${report.clockSuspect}`];
  return [...(parts.length === 0 ? ["nothing to drop"] : parts), ...suspended].join("; ");
}

/** `64 batches, 2 segments, parts of 1 segment` */
export function formatPlaces({ batches, segments, segmentParts }: PlaceCounts): string {
  const parts = [
    batches > 0 ? plural(batches, "batch", "batches") : "",
    segments > 0 ? plural(segments, "segment", "segments") : "",
    segmentParts > 0 ? `parts of ${plural(segmentParts, "segment", "segments")}` : "",
  ].filter((text) => text !== "");
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function plural(amount: number, one: string, many: string): string {
  return `${formatCount(amount)} ${amount === 1 ? one : many}`;
}

function countPlaces(places: PlanFacts["places"], drops: readonly Drop[]): PlaceCounts {
  const { batchIds, segmentIds, segmentParts } = places.placesOf(drops.map(({ id }) => id));
  return {
    batches: batchIds.length,
    segments: segmentIds.length,
    segmentParts: segmentParts.length,
  };
}

function ruleOf(reason: DropReason): PlanRow["rule"] {
  switch (reason.kind) {
    case "age":
      return reason.rule === "default" ? "default" : reason.rule + 1;
    case "rule-size":
      return reason.rule + 1;
    case "total-size":
    case "min-free":
      return null;
    default:
      return reason satisfies never;
  }
}
