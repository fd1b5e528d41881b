import {
  type Cutoffs,
  cutoffsAt,
  planRetention,
  type RetentionPlan,
  type RetentionPolicy,
} from "@sluice/retention";

import type { Clocks, Suspension } from "./clock-watch.ts";
import { type InventoryReader, takeInventory } from "./inventory.ts";
import { type PlanReport, reportPlan } from "./retention-report.ts";

export interface RetentionInputs {
  readonly reader: InventoryReader;
  readonly dataDir: string;
  readonly policy: RetentionPolicy;
}

export interface RetentionDecision {
  readonly plan: RetentionPlan;
  /** What queries may see from now on (`cutoffsNow`). */
  readonly cutoffs: Cutoffs;
  readonly report: PlanReport;
}

/** The policy's cutoffs now, or while ages are suspended, when the clock was last believed. */
export function cutoffsNow(
  policy: RetentionPolicy,
  suspension: Suspension | undefined,
  clocks: Pick<Clocks, "wallUs">,
): Cutoffs {
  return cutoffsAt(policy, suspension?.trustedUs ?? clocks.wallUs());
}

/** Looks at what is stored and decides what goes now. Changes nothing. */
export async function decideRetention(
  inputs: RetentionInputs,
  suspension: Suspension | undefined,
  clocks: Pick<Clocks, "wallUs">,
): Promise<RetentionDecision> {
  const { reader, dataDir, policy } = inputs;
  const inventory = await takeInventory(reader, dataDir);
  const nowUs = clocks.wallUs();
  const plan = planRetention(policy, inventory, nowUs, { suspendAge: suspension?.reason });
  const cutoffs = cutoffsNow(policy, suspension, { wallUs: () => nowUs });
  const facts = { totalBytes: inventory.totalBytes, clockSuspect: suspension?.reason };
  return { plan, cutoffs, report: reportPlan(plan, policy, facts) };
}
