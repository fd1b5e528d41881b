import { timeUs } from "@sluice/quantity";
import { describe, expect, test } from "vitest";
import { clockSuspect } from "../src/clock.ts";
import type { ClockObservation } from "../src/clock.ts";
import { ago, DAY_US, NOW } from "./stored.ts";

const HOUR_MS = 3_600_000;

describe("clockSuspect", () => {
  test.each<[ClockObservation, string | undefined]>([
    [{ kind: "running", wallDeltaMs: 60_000, monotonicDeltaMs: 60_000 }, undefined],
    [{ kind: "running", wallDeltaMs: HOUR_MS, monotonicDeltaMs: 0 }, undefined],
    [{ kind: "running", wallDeltaMs: -HOUR_MS, monotonicDeltaMs: 0 }, undefined],
    [{ kind: "running", wallDeltaMs: 9 * HOUR_MS, monotonicDeltaMs: 8 * HOUR_MS }, undefined],
    [
      { kind: "running", wallDeltaMs: HOUR_MS + 1, monotonicDeltaMs: 0 },
      "the clock was set forward by 1h, or the machine slept",
    ],
    [
      { kind: "running", wallDeltaMs: -HOUR_MS, monotonicDeltaMs: 60_000 },
      "the clock was set back by 1h 1m, or the machine slept",
    ],
    [{ kind: "start", wallUs: NOW, lastReceiptUs: undefined }, undefined],
    [{ kind: "start", wallUs: NOW, lastReceiptUs: NOW }, undefined],
    [{ kind: "start", wallUs: NOW, lastReceiptUs: ago(7 * DAY_US) }, undefined],
    [
      { kind: "start", wallUs: NOW, lastReceiptUs: ago(7 * DAY_US + 1) },
      "the clock is 7d past the last record, which was received at 2026-11-17T11:59:59.999999Z",
    ],
    [{ kind: "start", wallUs: NOW, lastReceiptUs: timeUs(NOW + 400 * DAY_US) }, undefined],
  ])("of %j says %s", (observation, expected) => {
    expect(clockSuspect(observation)).toBe(expected);
  });
});
