import { describe, expect, it } from "vitest";

import { CommitClock } from "../../src/head/commit-clock.ts";

const PACE = { eagerBytes: 1000, intervalMs: 25 };

const CASES: readonly (readonly [string, number | undefined, number, number, number])[] = [
  // what, last commit, pending bytes, now, due in
  ["the first commit is due at once", undefined, 1, 0, 0],
  ["a second one waits for the rest of the interval", 100, 1, 110, 15],
  ["at the interval's end it is due", 100, 1, 125, 0],
  ["past the interval it is due, not overdue", 100, 1, 900, 0],
  ["in the moment of the last one it waits in full", 100, 999, 100, 25],
  ["enough bytes do not wait", 100, 1000, 100, 0],
];

describe("commit clock", () => {
  it.each(CASES)("%s", (_name, lastMs, pendingBytes, nowMs, expected) => {
    const clock = new CommitClock(PACE);
    if (lastMs !== undefined) {
      clock.committed(lastMs);
    }
    expect(clock.dueInMs(pendingBytes, nowMs)).toBe(expected);
  });

  it("lets at most 40 small commits through in a second by default", () => {
    const clock = new CommitClock();
    let commits = 0;
    for (let nowMs = 0; nowMs < 1000; nowMs++) {
      if (clock.dueInMs(1, nowMs) === 0) {
        clock.committed(nowMs);
        commits += 1;
      }
    }
    expect(commits).toBe(40);
  });
});
