import { type Cutoffs, cutoffsAt, planRetention, type RetentionPolicy } from "@sluice/retention";
import type { TimeUs } from "@sluice/quantity";

import type { Suspension } from "./clock-watch.ts";
import { type InventoryReader, takeInventory } from "./inventory.ts";
import { type PlanReport, reportPlan } from "./retention-report.ts";
import type { DropPlaces } from "./stored-places.ts";

export interface RetentionQuestion {
  readonly dataDir: string;
  readonly policy: RetentionPolicy;
  readonly nowUs: TimeUs;
  /** Why ages are not to be looked at, where the clock is not believed. */
  readonly suspension: Suspension | undefined;
}

export interface RetentionDecision extends DropPlaces {
  /** What queries may see from now on. */
  readonly cutoffs: Cutoffs;
  readonly report: PlanReport;
}

export type DecideRetention = (question: RetentionQuestion) => Promise<RetentionDecision>;

/** The policy's cutoffs now, or while ages are suspended, when the clock was last believed. */
export function cutoffsNow({ policy, suspension, nowUs }: RetentionQuestion): Cutoffs {
  return cutoffsAt(policy, suspension?.trustedUs ?? nowUs);
}

/** Looks at what is stored and decides what goes now. Changes nothing. */
export async function decideRetention(
  reader: InventoryReader,
  question: RetentionQuestion,
): Promise<RetentionDecision> {
  const { dataDir, policy, nowUs, suspension } = question;
  const inventory = await takeInventory(reader, dataDir, policy);
  const plan = planRetention(policy, inventory, nowUs, { suspendAge: suspension?.reason });
  const { places, totalBytes } = inventory;
  const facts = { places, totalBytes, clockSuspect: suspension?.reason };
  return {
    ...places.placesOf(plan.drops.map(({ id }) => id)),
    cutoffs: cutoffsNow(question),
    report: reportPlan(plan, policy, facts),
  };
}
