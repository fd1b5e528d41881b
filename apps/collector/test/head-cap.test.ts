import { expect, test } from "vitest";

import { HeadCap } from "../src/ingest/head-cap.ts";

test("agents wait from the cap on, until the head is well below it", () => {
  const told: string[] = [];
  let bytes = 0;
  using cap = new HeadCap({
    brake: { pause: () => told.push("pause"), resume: () => told.push("resume") },
    headBytes: () => bytes,
    events: {
      capped: (headBytes) => told.push(`capped ${headBytes}`),
      uncapped: (headBytes) => told.push(`uncapped ${headBytes}`),
    },
    capBytes: 100,
  });
  for (const next of [0, 100, 101, 150, 76, 75, 74, 100, 101]) {
    bytes = next;
    cap.look();
  }
  expect(told).toEqual(["pause", "capped 101", "resume", "uncapped 74", "pause", "capped 101"]);
});
