import { describe, expect, it } from "vitest";

import { fit, type Fit, type FramePlace } from "../../src/head/position.ts";

const STORED = { epoch: 3, ordinal: 7, nextSeq: 100, cursor: new Uint8Array() };

const CASES: readonly (readonly [string, FramePlace, Fit])[] = [
  ["the next frame", { epoch: 3, ordinal: 7, firstSeq: 100 }, "next"],
  ["a frame that was stored before", { epoch: 3, ordinal: 6, firstSeq: 99 }, "misplaced"],
  ["a frame behind a missing one", { epoch: 3, ordinal: 8, firstSeq: 101 }, "misplaced"],
  ["the ordinal alone", { epoch: 3, ordinal: 7, firstSeq: 101 }, "misplaced"],
  ["the sequence number alone", { epoch: 3, ordinal: 8, firstSeq: 100 }, "misplaced"],
  ["an older epoch, though its numbers fit", { epoch: 2, ordinal: 7, firstSeq: 100 }, "stale"],
  ["an older epoch", { epoch: 1, ordinal: 0, firstSeq: 0 }, "stale"],
  ["an epoch that was never given out", { epoch: 4, ordinal: 7, firstSeq: 100 }, "misplaced"],
];

describe("compare-and-set of a frame's place", () => {
  it.each(CASES)("takes %s as it should", (_name, frame, expected) => {
    expect(fit(STORED, frame)).toBe(expected);
  });
});
