import { describe, expect, test } from "vitest";

import { Continuity } from "../src/journal/continuity.ts";

const CHECK_MS = 1_000;

/** An entry's cursor, of the writer with this letter. */
function entry(number: number, writer = "a"): string {
  return `s=${writer.repeat(32)};i=${number.toString(16)};t=${number.toString(16)}`;
}

function behind(number: number, isFiltered = false): Continuity {
  const continuity = new Continuity(isFiltered, CHECK_MS);
  continuity.reset({ kind: "after", entry: entry(number) });
  return continuity;
}

describe("entries whose numbers go on", () => {
  test("ask for nothing, and each takes the place of the one that shows it", () => {
    const continuity = behind(1);
    for (const number of [2, 3, 4]) {
      expect(continuity.isCheckDue(entry(number), 0)).toBe(false);
      continuity.take(entry(number));
    }
    expect(continuity.witness).toBe(entry(4));
  });

  test("ask for nothing from an entry on that is still to come", () => {
    const continuity = new Continuity(false, CHECK_MS);
    continuity.reset({ kind: "at", entry: entry(5) });
    expect(continuity.isCheckDue(entry(5), 0)).toBe(false);
    expect(continuity.isCheckDue(entry(6), 0)).toBe(true);
  });

  test("ask for nothing in a journal that was empty, whatever comes first", () => {
    const continuity = new Continuity(false, CHECK_MS);
    continuity.reset({ kind: "beginning" });
    expect(continuity.isCheckDue(entry(70), 0)).toBe(false);
  });
});

describe("a hole in the numbers", () => {
  test("asks at once for the entry in front of it, and tells its size", () => {
    const continuity = behind(1);
    expect(continuity.isCheckDue(entry(5), 0)).toBe(true);
    expect(continuity.witness).toBe(entry(1));
    expect(continuity.missingBefore(entry(5))).toBe(3n);
  });

  test("that was harmless makes the next ones wait their time", () => {
    const continuity = behind(1);
    continuity.checked(entry(5), true, 0);
    continuity.take(entry(5));
    expect(continuity.isCheckDue(entry(9), CHECK_MS - 1)).toBe(false);
    expect(continuity.isCheckDue(entry(9), CHECK_MS)).toBe(true);
    expect(continuity.missingBefore(entry(9))).toBe(0n);
  });

  test("that nobody could judge keeps its witness, through entries that go on", () => {
    const continuity = behind(1);
    continuity.checked(entry(5), false, 0);
    continuity.take(entry(5));
    continuity.take(entry(6));
    expect(continuity.witness).toBe(entry(1));
    expect(continuity.isCheckDue(entry(7), CHECK_MS)).toBe(true);
  });
});

test.each([
  ["of a filtered journal", true, entry(5)],
  ["from one writer to another", false, entry(5, "b")],
])("jumps %s are asked about once in a while", (_, isFiltered, next) => {
  const continuity = behind(1, isFiltered);
  expect(continuity.isCheckDue(next, 0)).toBe(true);
  continuity.checked(next, true, 0);
  continuity.take(next);
  expect(continuity.isCheckDue(entry(30), CHECK_MS - 1)).toBe(false);
  continuity.take(entry(30));
  expect(continuity.isCheckDue(entry(40), CHECK_MS)).toBe(true);
  expect(continuity.witness).toBe(next);
});
