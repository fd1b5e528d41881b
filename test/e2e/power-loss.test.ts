import { expect, test } from "vitest";

import { runPowerLoss } from "../src/power-loss/power-loss-run.ts";
import { PRODUCT } from "../src/product.ts";
import { tracingRefused } from "../src/system-trace.ts";

const REFUSED = tracingRefused();

/** `pnpm faults power-loss` tries 500. */
const STATES = 8;

test("a store holds what it acknowledged on whatever a disk is left with when the power goes", async (context) => {
  if (REFUSED !== undefined) context.skip(REFUSED);
  const report = await runPowerLoss({ product: PRODUCT, seed: 1, states: STATES });
  expect(report.problems).toEqual([]);
  expect(report.acked).toBeGreaterThan(0);
});
