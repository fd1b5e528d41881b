import { styleText } from "node:util";
import stringWidth from "string-width";

/** A column: its heading, and on which side its cells line up. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/** What could move the cursor or reorder a line: C0, DEL, C1, and Unicode's format characters (bidi among them). */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * Lines up cells in columns, for people. Cells come from agents in part, so whatever a terminal
 * would act on is shown as `\u{1b}`.
 *
 * @param isStyled whether headings are underlined, which a terminal that shows colours does
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  isStyled: boolean,
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
  const heading = (text: string): string =>
    isStyled ? styleText("underline", text, { validateStream: false }) : text;
  const titles = columns.map(({ title }) => title);
  return [line(titles, heading), ...cells.map((row) => line(row, (text) => text)), ""].join("\n");
}

export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
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
