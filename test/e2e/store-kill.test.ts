import { describe, expect, test } from "vitest";

import { PRODUCT } from "../src/product.ts";
import { NAMED_STEPS } from "../src/store-kill/named-steps.ts";
import { runNamedSteps } from "../src/store-kill/step-run.ts";
import { runStoreKills } from "../src/store-kill/store-kill-run.ts";
import { tracingRefused } from "../src/system-trace.ts";

const REFUSED = tracingRefused();
const SEED = 1;

/** All twenty are tried by `pnpm faults store-kill`. */
const STEPS = ["nothing of the swap is written"];

describe("a store that is killed in the middle of its jobs", () => {
  test("holds every record once and leaves no orphan, at random instants", async () => {
    const report = await runStoreKills({ product: PRODUCT, seed: SEED, kills: 3 });
    expect(report.problems).toEqual([]);
    expect(report.acked).toBeGreaterThan(0);
  });

  test.for(STEPS)("does so at a named step: %s", async (name, context) => {
    if (REFUSED !== undefined) context.skip(REFUSED);
    const steps = NAMED_STEPS.filter((step) => step.name === name);
    const found: (readonly string[])[] = [];
    await runNamedSteps({ product: PRODUCT, seed: SEED, steps }, ({ problems }) =>
      found.push(problems),
    );
    expect(found).toEqual([[]]);
  });
});
