import { expect, test } from "vitest";

import { runFuzz } from "../src/fuzz/fuzz-run.ts";

test("mutated frames and raw bytes do a collector no harm, and a healthy agent beside them none", async () => {
  const { problems, hostile, raw, lines } = await runFuzz({ frames: 2_000, strings: 200, seed: 7 });
  // How late a loop is on a crowded machine says nothing: `pnpm faults fuzz` looks at it.
  expect(problems.filter((problem) => !problem.startsWith("event loop"))).toEqual([]);
  expect(hostile.frames).toBeGreaterThanOrEqual(2_000);
  expect(raw.strings).toBeGreaterThanOrEqual(200);
  expect(lines).toBeGreaterThan(0);
  // It got as far as the store: some were accepted, and others refused for each of the reasons.
  for (const answer of ["acked", "corrupt", "out_of_sequence", "bad_compression"]) {
    expect(hostile.answers.get(answer) ?? 0).toBeGreaterThan(0);
  }
}, 120_000);
