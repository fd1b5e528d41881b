import { expect, test } from "vitest";

import { logrotateRefused, runLogrotate } from "../src/logrotate/logrotate-run.ts";
import { POLICIES } from "../src/logrotate/rotation-policy.ts";
import { PRODUCT } from "../src/product.ts";

const REFUSED = logrotateRefused();

/** `pnpm faults logrotate` does it fifty times. */
test("what logrotate does under load: every line once but what copytruncate destroyed", async (context) => {
  if (REFUSED !== undefined) context.skip(REFUSED);
  const { verdicts, problems } = await runLogrotate({
    product: PRODUCT,
    seed: 1,
    rotations: 4,
    pauseMs: 400,
    linesPerSecond: 2_000,
  });
  expect([...problems, ...verdicts.flatMap(({ problems: found }) => found)]).toEqual([]);
  expect(verdicts.map(({ policy }) => policy.name).toSorted()).toEqual(
    POLICIES.map(({ name }) => name).toSorted(),
  );
  expect(verdicts.every(({ written, generations }) => written > 0 && generations > 1)).toBe(true);
});
