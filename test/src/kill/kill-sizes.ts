import { PRODUCT } from "../product.ts";
import type { KillPlan } from "./kill-plan.ts";

/** For every `npm test`: each victim meets three moments, and two damages. */
export const SHORT_KILL_PLAN: KillPlan = {
  product: PRODUCT,
  seed: 1,
  agentKills: 3,
  collectorKills: 3,
  damages: 2,
  lines: 40_000,
  files: 2,
  rotateEvery: 5_000,
  meanLineBytes: 800,
};

/** The claim: 30 kills of each side during 500,000 lines. */
export const FULL_KILL_PLAN: KillPlan = {
  product: PRODUCT,
  seed: 1,
  agentKills: 30,
  collectorKills: 30,
  damages: 10,
  lines: 500_000,
  files: 2,
  rotateEvery: 20_000,
  meanLineBytes: 400,
};

/**
 * Damages only, on streams that go on: enough to show a store that takes frames out of their place.
 * While a message is held back no new generation can be opened, and little comes behind it.
 */
export const DAMAGE_PLAN: KillPlan = {
  ...SHORT_KILL_PLAN,
  agentKills: 0,
  collectorKills: 0,
  damages: 2,
  lines: 26_000,
  rotateEvery: 26_000,
};
