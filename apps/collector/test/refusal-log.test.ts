import type { Log } from "@sluice/service";
import { expect, test } from "vitest";

import { RefusalLog } from "../src/server/refusal-log.ts";

function logged(): { lines: [object, string][]; refusals: RefusalLog; clock: { ms: number } } {
  const lines: [object, string][] = [];
  const clock = { ms: 0 };
  const log = { warn: (fields: object, message: string) => lines.push([fields, message]) };
  return { lines, clock, refusals: new RefusalLog(log as unknown as Log, () => clock.ms) };
}

test("what is refused over and over is logged once a minute, with how often it was left out", () => {
  const { lines, refusals, clock } = logged();
  for (let i = 0; i < 1_000; i++) refusals.refused("10.0.0.9", "the token is not known here");
  refusals.refused("10.0.0.9", "too many connections");
  clock.ms = 60_000;
  refusals.refused("10.0.0.9", "the token is not known here");
  expect(lines).toEqual([
    [{ address: "10.0.0.9" }, "refused a connection: the token is not known here"],
    [
      { address: "10.0.0.9", othersSinceLastLine: 999 },
      "refused a connection: too many connections",
    ],
    [{ address: "10.0.0.9" }, "refused a connection: the token is not known here"],
  ]);
});

test("peers of many addresses cannot write the log full", () => {
  const { lines, refusals } = logged();
  for (let i = 0; i < 10_000; i++) refusals.refused(`10.0.${i >> 8}.${i & 255}`, "no");
  expect(lines).toHaveLength(30);
});
