import { expect, test } from "vitest";

import { PRODUCT } from "../src/product.ts";
import { SHORT_MATRICES } from "../src/rotation/matrix-cell.ts";
import { runRotationMatrix } from "../src/rotation/matrix-run.ts";

/** `pnpm faults rotation` adds large files, files that begin alike, and kills of the agent. */
test("files that are rotated in six ways, the agent up or down: every byte once, or in an exact gap", async () => {
  // Side by side: most of their time is waiting for files to be at rest.
  const reports = await Promise.all(
    SHORT_MATRICES.map((plan) => runRotationMatrix({ product: PRODUCT, plan, seed: 1 })),
  );
  const verdicts = reports.flatMap((report) => report.verdicts);
  const found = verdicts.flatMap(({ cell, account }) =>
    account.problems.map((problem) => `${cell.operation}, ${cell.condition}: ${problem}`),
  );
  expect([...found, ...reports.flatMap(({ problems }) => problems)]).toEqual([]);
  expect(verdicts).toHaveLength(12);
  // What the run is worth: bytes were destroyed, by a running agent's eyes and behind its back.
  const cut = verdicts.filter(({ cell }) => cell.operation === "truncate and regrow");
  expect(cut.map(({ account }) => account.gapBytes > 0)).toEqual([true, false]);
  expect(cut.map(({ account }) => account.unknownGaps > 0)).toEqual([false, true]);
});
