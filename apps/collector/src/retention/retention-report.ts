import { formatTimeRfc3339 } from "@sluice/quantity";
import { formatReason } from "@sluice/retention";
import type { DropReason, RetentionPlan, RetentionPolicy } from "@sluice/retention";
import * as z from "zod";

const count = z.int().nonnegative();

const ROW = z.object({
  /** Counted from 1 as in the configuration's order; `default` for what no rule matches; null for a cap on everything. */
  rule: z.union([z.int().positive(), z.literal("default")]).nullable(),
  kind: z.enum(["age", "rule-size", "total-size", "min-free"]),
  /** The reason in words. */
  reason: z.string(),
  batches: count,
  records: count,
  bytes: count,
  /** Receipt times, RFC 3339 in UTC. */
  oldest: z.string(),
  newest: z.string(),
});

/** What a prune would drop now, and why: the answer of `GET /v1/retention/plan`. */
export const PLAN_REPORT = z.object({
  rows: z.array(ROW),
  batches: count,
  records: count,
  /** Of the payloads that go. */
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
  batches: count,
  payloadBytes: count,
  tookMs: z.number().nonnegative(),
  /** Every file under data_dir, measured before and after. Lines that arrive meanwhile count in the second. */
  diskBytesBefore: count,
  diskBytesAfter: count,
});

type PlanRow = z.infer<typeof ROW>;
export type PlanReport = z.infer<typeof PLAN_REPORT>;
export type PruneReport = z.infer<typeof PRUNE_REPORT>;

export function reportPlan(
  plan: RetentionPlan,
  policy: RetentionPolicy,
  facts: { readonly totalBytes: number; readonly clockSuspect: string | undefined },
): PlanReport {
  const rows = plan.summary.map(
    ({ reason, units, records, bytes, firstReceivedUs, lastReceivedUs }): PlanRow => ({
      rule: ruleOf(reason),
      kind: reason.kind,
      reason: formatReason(reason, policy),
      batches: units,
      records,
      bytes,
      oldest: formatTimeRfc3339(firstReceivedUs),
      newest: formatTimeRfc3339(lastReceivedUs),
    }),
  );
  return {
    rows,
    batches: plan.drops.length,
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
  const parts = report.rows.map(
    ({ batches, reason }) => `${batches} ${batches === 1 ? "batch" : "batches"}: ${reason}`,
  );
  const suspended =
    report.clockSuspect === null ? [] : [`nothing for its age: ${report.clockSuspect}`];
  return [...(parts.length === 0 ? ["nothing to drop"] : parts), ...suspended].join("; ");
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
