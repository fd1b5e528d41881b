import { createPaint, escapeText } from "@sluice/service";
import stringWidth from "string-width";

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
 * @param width columns of the terminal, for a last column that goes on in the next line; undefined
 *   for lines that are as long as they are
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  hasColor: boolean,
  width?: number,
): string {
  const plain = rows.map((row) => row.map(printable));
  const cells = width === undefined ? plain : wrapLast(columns, plain, width);
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

/** Less than this a column of text cannot be read in. */
const LEAST_TEXT_WIDTH = 24;

/** Goes on with the last cell in rows of their own, whose other cells are empty. */
function wrapLast(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly (readonly string[])[] {
  const last = columns.length - 1;
  const before = columns
    .slice(0, last)
    .map(({ title }, index) =>
      Math.max(title.length, ...rows.map((row) => stringWidth(row[index] ?? ""))),
    )
    .reduce((sum, column) => sum + column + 2, 0);
  const room = Math.max(LEAST_TEXT_WIDTH, width - before);
  return rows.flatMap((row) =>
    wrapWords(row[last] ?? "", room).map((text, index) =>
      columns.map((_, at) => (at === last ? text : index === 0 ? (row[at] ?? "") : "")),
    ),
  );
}

/** At spaces; a word that is longer than a line stays whole. */
function wrapWords(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && stringWidth(longer) > room) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
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
