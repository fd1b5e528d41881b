import { expect, test } from "vitest";

import { formatAge, formatTable } from "../src/output/text-table.ts";

const COLUMNS = [
  { title: "NAME", align: "left" },
  { title: "SIZE", align: "right" },
] as const;

test("cells line up, numbers on the right", () => {
  const rows = [
    ["a", "1"],
    ["longer", "12,345"],
  ];
  expect(formatTable(COLUMNS, rows, false)).toBe(
    ["NAME      SIZE", "a            1", "longer  12,345", ""].join("\n"),
  );
});

test("wide characters take two places", () => {
  expect(
    formatTable(
      COLUMNS,
      [
        ["日本", "1"],
        ["abcd", "2"],
      ],
      false,
    ),
  ).toBe(["NAME  SIZE", "日本     1", "abcd     2", ""].join("\n"));
});

test.each([
  ["an escape sequence", "\u001b[2J", "\\x1b[2J"],
  ["a line feed", "a\nb", "a\\nb"],
  ["a C1 control", "\u009b", "\\x9b"],
  ["a tab", "a\tb", "a\\tb"],
  ["a bidi override", "a\u202eb", "a\\u202eb"],
])("%s from an agent is shown, not acted on", (_, cell, shown) => {
  expect(formatTable(COLUMNS, [[cell, "1"]], false)).toContain(shown);
  expect(formatTable(COLUMNS, [[cell, "1"]], false)).not.toContain(cell);
});

test("headings are set off where colours are shown", () => {
  expect(formatTable(COLUMNS, [], true)).toContain("\u001b[1m\u001b[4mNAME\u001b[24m\u001b[22m");
});

test.each([
  [-5_000, "now"],
  [999, "now"],
  [1_000, "1s ago"],
  [59_999, "59s ago"],
  [60_000, "1m ago"],
  [3_599_999, "59m ago"],
  [3_600_000, "1h ago"],
  [86_399_999, "23h ago"],
  [86_400_000, "1d ago"],
])("an age of %i ms reads %s", (ageMs, text) => {
  expect(formatAge(ageMs)).toBe(text);
});

test("the last column goes on in the next line where the terminal is narrow", () => {
  const columns = [
    { title: "NAME", align: "left" },
    { title: "WHAT", align: "left" },
  ] as const;
  const text = "some words that do not fit into one line of it";
  expect(formatTable(columns, [["a", text]], false, 32)).toBe(
    ["NAME  WHAT", "a     some words that do not fit", "      into one line of it", ""].join("\n"),
  );
  expect(formatTable(columns, [["a", text]], false)).toContain(`a     ${text}\n`);
});
