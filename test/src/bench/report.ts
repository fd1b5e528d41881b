import { cpus, totalmem } from "node:os";

/** One way of doing the same work, measured in the same run as the others. */
export interface Measurement {
  readonly name: string;
  readonly [figure: string]: string | number;
}

export interface Report {
  readonly bench: string;
  /** What was measured on: size, seed, corpus. */
  readonly setup: Readonly<Record<string, string | number>>;
  readonly measurements: readonly Measurement[];
  /** Whether the table has a column per measurement (the default) or a row per measurement. */
  readonly layout?: "columns" | "rows";
  /** Of other figures than the measurements: a table of its own. */
  readonly comparisons?: readonly Measurement[];
  readonly notes: readonly string[];
}

/** Prints a report as JSON or as a table that names the machine. */
export function printReport(report: Report, asJson: boolean): void {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ ...report, machine }, undefined, 2)}\n`);
    return;
  }
  const setup = Object.entries({ ...report.setup, ...machine })
    .map(([key, value]) => `${key} ${value}`)
    .join(" · ");
  process.stdout.write(`\n${report.bench}\n${setup}\n\n${table(report)}\n`);
  if (report.comparisons !== undefined && report.comparisons.length > 0) {
    process.stdout.write(`\n${table({ ...report, measurements: report.comparisons })}\n`);
  }
  for (const note of report.notes) {
    process.stdout.write(`  ${note}\n`);
  }
}

function table({ measurements, layout }: Report): string {
  const figures = [...new Set(measurements.flatMap((one) => Object.keys(one)))];
  const titles = figures.map((figure) => (figure === "name" ? "" : figure));
  const byRow = [
    titles,
    ...measurements.map((one) => figures.map((figure) => format(one[figure]))),
  ];
  const cells = layout === "rows" ? byRow : transposed(byRow);
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("   "),
    )
    .join("\n");
}

function transposed(rows: readonly (readonly string[])[]): string[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? ""));
}

function format(value: string | number | undefined): string {
  if (typeof value !== "number") {
    return value ?? "-";
  }
  return value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toFixed(3)));
}
