import { escapeText } from "@sluice/service";
import { decodeBytes } from "./escape.ts";
import type { Printer, PrinterOptions } from "./printer.ts";
import { bodyBytes } from "./raw.ts";
import { fieldOf, type OutputRow, parseRows, toJson } from "./row.ts";

type ColumnOptions = Pick<PrinterOptions, "sink" | "isTerminal" | "fields" | "isTable">;

/** A record's columns where nobody chose others. */
const RECORD_COLUMNS: readonly string[] = ["time", "host", "source", "level", "body"];

/** Comma-separated values with a header (RFC 4180: CRLF, quotes doubled). */
export class CsvPrinter implements Printer {
  readonly #options: ColumnOptions;
  #columns: readonly string[] | undefined;

  constructor(options: ColumnOptions) {
    this.#options = options;
  }

  print(chunk: Uint8Array): void {
    for (const row of parseRows(chunk)) {
      this.#columns ??= this.#begin(row);
      this.#line(this.#columns.map((name) => cellText(row, name)));
    }
  }

  end(): void {
    if (this.#columns === undefined && !this.#options.isTable) {
      this.#columns = this.#begin({});
    }
  }

  #begin(row: OutputRow): readonly string[] {
    const columns = columnsOf(row, this.#options);
    this.#line(columns);
    return columns;
  }

  #line(cells: readonly string[]): void {
    const { sink, isTerminal } = this.#options;
    const quoted = cells.map((cell) => quoteCsv(isTerminal ? escapeText(cell) : cell));
    sink.write(`${quoted.join(",")}\r\n`);
  }
}

/** `key=value` pairs, quoted where they must be: https://brandur.org/logfmt */
export class LogfmtPrinter implements Printer {
  readonly #options: ColumnOptions;

  constructor(options: ColumnOptions) {
    this.#options = options;
  }

  print(chunk: Uint8Array): void {
    const { sink, isTerminal } = this.#options;
    for (const row of parseRows(chunk)) {
      const pairs = columnsOf(row, this.#options).map(
        (name) => `${name.replaceAll(/[\s="]/g, "_")}=${quoteLogfmt(cellText(row, name))}`,
      );
      const line = pairs.join(" ");
      sink.write(`${isTerminal ? escapeText(line) : line}\n`);
    }
  }

  end(): void {}
}

/** A cell as text; nothing for a field that is not there, and `\xNN` for bytes that are not UTF-8. */
export function cellText(row: OutputRow, name: string): string {
  const value = fieldOf(row, name);
  if (value === undefined || value === null) {
    return name === "body" && row["bodyBase64"] !== undefined ? decodeBytes(bodyBytes(row)) : "";
  }
  return typeof value === "object" ? toJson(value) : String(value);
}

function columnsOf(row: OutputRow, { fields, isTable }: ColumnOptions): readonly string[] {
  return fields ?? (isTable ? Object.keys(row) : RECORD_COLUMNS);
}

function quoteCsv(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function quoteLogfmt(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters need quotes
  return value === "" || /[\s="\\\u0000-\u001f]/.test(value) ? JSON.stringify(value) : value;
}
