import { escapeText } from "@sluice/service";
import stringWidth from "string-width";

import { createPaint } from "./style.ts";

/** A column: its heading, and on which side its cells line up. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/**
 * Lines up cells in columns, for people. Cells come from agents in part, so whatever a terminal
 * would act on is shown escaped.
 *
 * @param hasColor whether headings are set off, as colours are shown
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  hasColor: boolean,
): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => stringWidth(row[index] ?? ""))),
  );
  const line = (row: readonly string[], style: (text: string) => string): string =>
    columns
      .map(({ align }, index) => {
        const text = row[index] ?? "";
        const pad = " ".repeat((widths[index] ?? 0) - stringWidth(text));
        const isLast = index === columns.length - 1;
        return align === "right" ? pad + style(text) : style(text) + (isLast ? "" : pad);
      })
      .join("  ")
      .trimEnd();
  const paint = createPaint(hasColor);
  const titles = columns.map(({ title }) => title);
  return [
    line(titles, (title) => paint(["bold", "underline"], title)),
    ...cells.map((row) => line(row, (text) => text)),
    "",
  ].join("\n");
}

/** A tab would shift the columns behind it. */
function printable(text: string): string {
  return escapeText(text).replaceAll("\t", "\\t");
}

/** How long ago, in its largest unit: `12s ago`, `5m ago`, `3d ago`. A time to come is `now`: clocks differ. */
export function formatAge(ageMs: number): string {
  const seconds = Math.floor(ageMs / 1000);
  if (seconds < 1) {
    return "now";
  }
  for (const [unitSeconds, unit] of [
    [86_400, "d"],
    [3_600, "h"],
    [60, "m"],
  ] as const) {
    if (seconds >= unitSeconds) {
      return `${Math.floor(seconds / unitSeconds)}${unit} ago`;
    }
  }
  return `${seconds}s ago`;
}

/** A whole number with thousands set apart: `12,345`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}
