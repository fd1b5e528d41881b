import { describe, expect, test } from "vitest";

import {
  guardDecision,
  type GuardInput,
  guardLevels,
  type GuardState,
} from "../src/guard/guard-policy.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** 100 GiB with the default `min_free` of 5 %, and nobody sending. */
const CALM: GuardInput = {
  roomBytes: 50 * GiB,
  totalBytes: 100 * GiB,
  retentionFloorBytes: 5 * GiB,
  ingestBytesPerSecond: 0,
  compactionBytes: 0,
  state: "open",
};

describe("the floor", () => {
  test.each<[string, Partial<GuardInput>, number]>([
    ["is 64 MiB where nobody sends", {}, 64 * MiB],
    ["holds 15 s of ingest, written twice", { ingestBytesPerSecond: 10 * MiB }, 300 * MiB],
    ["holds one output of compaction", { compactionBytes: 100 * MiB }, 100 * MiB],
    [
      "holds both at once",
      { compactionBytes: 100 * MiB, ingestBytesPerSecond: 10 * MiB },
      400 * MiB,
    ],
    [
      "is at most half of retention's, so that old logs go first",
      { ingestBytesPerSecond: GiB },
      2.5 * GiB,
    ],
    ["follows retention's below 64 MiB", { retentionFloorBytes: 50 * MiB }, 25 * MiB],
    [
      "is at most a 16th of the volume without one",
      { retentionFloorBytes: 0, totalBytes: GiB },
      64 * MiB,
    ],
    [
      "is at most a 16th of a small volume without one",
      { retentionFloorBytes: 0, totalBytes: 64 * MiB },
      4 * MiB,
    ],
  ])("%s", (_name, input, floor) => {
    const levels = guardLevels({ ...CALM, ...input });
    expect(levels).toEqual({
      closeBelow: floor,
      pruneBelow: floor * 1.5,
      openAbove: floor * 2,
      emergencyBelow: floor / 4,
    });
  });

  test("what retention leaves free is enough to open again", () => {
    for (const retentionFloorBytes of [1, 2, 3, 999, MiB + 1, 127 * MiB, GiB]) {
      const levels = guardLevels({ ...CALM, retentionFloorBytes, ingestBytesPerSecond: GiB });
      expect(levels.openAbove).toBeLessThanOrEqual(retentionFloorBytes);
    }
  });
});

describe("the state", () => {
  // Levels of 64, 96 and 128 MiB.
  test.each<[GuardState, number, GuardState]>([
    ["open", 128 * MiB, "open"],
    ["open", 96 * MiB, "open"],
    ["open", 96 * MiB - 1, "pruning"],
    ["open", 64 * MiB, "pruning"],
    ["open", 64 * MiB - 1, "closed"],
    ["open", -1, "closed"],
    ["pruning", 128 * MiB, "open"],
    ["pruning", 128 * MiB - 1, "pruning"],
    ["pruning", 64 * MiB, "pruning"],
    ["pruning", 64 * MiB - 1, "closed"],
    ["closed", 64 * MiB, "closed"],
    ["closed", 128 * MiB - 1, "closed"],
    ["closed", 128 * MiB, "open"],
  ])("behind %s with %i bytes of room is %s", (state, roomBytes, next) => {
    expect(guardDecision({ ...CALM, state, roomBytes }).state).toBe(next);
  });

  test.each<[number, boolean]>([
    [64 * MiB - 1, false],
    [16 * MiB, false],
    [16 * MiB - 1, true],
    [-1, true],
  ])("with %i bytes of room the ballast has to go: %s", (roomBytes, isEmergency) => {
    expect(guardDecision({ ...CALM, roomBytes })).toMatchObject({ state: "closed", isEmergency });
  });

  test("of a volume that does not tell its size is open", () => {
    const unknown = { ...CALM, totalBytes: 0, roomBytes: 0, retentionFloorBytes: 0 };
    expect(guardDecision({ ...unknown, state: "closed" }).state).toBe("open");
  });
});
