import { describe, expect, test } from "vitest";

import { ExportParser } from "../src/journal/export-parser.ts";
import { entryLimits, toJournalEntry } from "../src/journal/journal-entry.ts";
import type { JournalEntry } from "../src/journal/journal-entry.ts";
import { exportOf } from "./journal-fixture.ts";
import type { TestEntry } from "./journal-fixture.ts";

const RECEIVED_US = 1_700_000_000_000_000;
const HOUR_US = 3_600_000_000;

function entryOf(fields: TestEntry, names: readonly string[] = ["A", "B"]): JournalEntry {
  const parser = new ExportParser(entryLimits(names));
  const { entries } = parser.push(
    exportOf([{ __CURSOR: "s=1", __REALTIME_TIMESTAMP: String(RECEIVED_US), ...fields }]),
  );
  const entry = entries[0] && toJournalEntry(entries[0], names);
  if (entry === undefined) throw new Error("no entry");
  return entry;
}

describe("an entry's time", () => {
  test.each([
    ["is the sender's", String(RECEIVED_US - 5), RECEIVED_US - 5],
    ["is the sender's within an hour", String(RECEIVED_US - HOUR_US), RECEIVED_US - HOUR_US],
    [
      "is journald's where the sender's is further off",
      String(RECEIVED_US - HOUR_US - 1),
      RECEIVED_US,
    ],
    [
      "is journald's where the sender's lies in the future",
      String(RECEIVED_US + HOUR_US + 1),
      RECEIVED_US,
    ],
    ["is journald's where the sender's is no number", "yesterday", RECEIVED_US],
    ["is journald's where the sender's overflows", "9".repeat(20), RECEIVED_US],
  ])("%s", (_, sent, timeUs) => {
    expect(entryOf({ _SOURCE_REALTIME_TIMESTAMP: sent }).timeUs).toBe(timeUs);
  });
});

test.each([
  ["0", 0],
  ["7", 7],
  ["8", undefined],
  ["-1", undefined],
  ["err", undefined],
  ["", undefined],
])("a priority of %j is %j", (text, priority) => {
  expect(entryOf({ PRIORITY: text }).priority).toBe(priority);
});

describe("a message", () => {
  test.each([
    [256 * 1024, undefined],
    [256 * 1024 + 1, 256 * 1024 + 1],
  ])(
    "of %i bytes is cut to what a record takes, and says its length where it is",
    (bytes, original) => {
      const { body, originalBytes } = entryOf({ MESSAGE: "m".repeat(bytes) });
      expect(body.length).toBe(256 * 1024);
      expect(originalBytes).toBe(original);
    },
  );

  test("that is missing is an empty body", () => {
    expect(entryOf({ A: "1" }).body).toHaveLength(0);
  });
});

describe("attributes", () => {
  test("are the fields that are named, in that order", () => {
    expect(entryOf({ B: "2", C: "3", A: "1" }).attributes).toEqual({ A: "1", B: "2" });
  });

  test.each([
    ["of several bytes as it is", "grün\n☃", "grün\n☃"],
    [
      "that is not UTF-8 with its bytes escaped",
      Buffer.from("a\xff\n", "latin1"),
      String.raw`a\xff\x0a`,
    ],
    ["beyond 4 KiB cut at a character", "☃".repeat(2_000), "☃".repeat(1_365)],
  ])("give a value %s", (_, value, expected) => {
    expect(entryOf({ A: value }).attributes["A"]).toBe(expected);
  });

  test("take 32 KiB of an entry together: what comes after that is left out", () => {
    const names = Array.from({ length: 20 }, (_, index) => `F${index}`);
    const fields = Object.fromEntries(names.map((name) => [name, "v".repeat(4_000)]));
    expect(Object.keys(entryOf(fields, names).attributes)).toEqual(names.slice(0, 8));
  });
});

test.each(["__CURSOR", "__REALTIME_TIMESTAMP"])("output without %s is not an entry", (name) => {
  expect(() => entryOf({ [name]: "" })).toThrow("no entry");
});
