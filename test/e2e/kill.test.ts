import { expect, test } from "vitest";

import { runKillTest } from "../src/kill/kill-run.ts";
import { SHORT_KILL_PLAN } from "../src/kill/kill-sizes.ts";

test("every line is stored once and in order through kill -9 of both sides, rotation and damage", async () => {
  const report = await runKillTest(SHORT_KILL_PLAN);
  expect(report.problems).toEqual([]);
  // What the run is worth: all of it happened.
  expect(report).toMatchObject({ agentKills: 3, collectorKills: 3, lines: 40_000, rotations: 8 });
  expect(report.damages.some(({ behind }) => behind > 0)).toBe(true);
  expect(report.resets.get("corrupt")).toBeGreaterThan(0);
});
