import { createPaint, escapeText, type Paint } from "@sluice/service";
import stringWidth from "string-width";

import { cellText } from "./columns.ts";
import type { Printer, PrinterOptions } from "./printer.ts";
import { fieldOf, type OutputRow, parseRows } from "./row.ts";
import { formatMoment } from "./time.ts";

type TableOptions = Pick<
  PrinterOptions,
  "sink" | "isTerminal" | "hasColor" | "zone" | "fields" | "isTable"
>;

/** Widths are taken from so many rows; later ones that are wider push their line out. */
const ROWS_MEASURED = 1_000;
const MAX_COLUMN = 60;

/** An average is read, not computed with: the other formats have all digits. */
const SHOWN_DIGITS = 6;

interface Column {
  readonly name: string;
  readonly width: number;
  readonly isNumber: boolean;
}

/** An aligned table with a header: numbers to the right, the last column as long as it is. */
export class TablePrinter implements Printer {
  readonly #options: TableOptions;
  readonly #paint: Paint;
  #held: OutputRow[] = [];
  #columns: readonly Column[] | undefined;

  constructor(options: TableOptions) {
    this.#options = options;
    this.#paint = createPaint(options.hasColor);
  }

  print(chunk: Uint8Array): void {
    for (const row of parseRows(chunk)) {
      if (this.#columns === undefined) {
        this.#held.push(row);
        if (this.#held.length === ROWS_MEASURED) {
          this.#begin();
        }
      } else {
        this.#line(this.#columns, row);
      }
    }
  }

  end(): void {
    if (this.#columns === undefined && this.#held.length > 0) {
      this.#begin();
    }
  }

  #begin(): void {
    const names = this.#options.fields ?? [
      ...new Set(this.#held.flatMap((row) => Object.keys(row))),
    ];
    const columns = names.map((name): Column => {
      const cells = this.#held.map((row) => this.#cell(row, name));
      const widths = cells.map((cell) => stringWidth(cell));
      return {
        name,
        width: Math.min(MAX_COLUMN, Math.max(stringWidth(name), ...widths)),
        isNumber: cells.some((cell) => cell !== "") && cells.every(isNumeric),
      };
    });
    const header = columns.map((column, i) =>
      this.#paint(["bold", "underline"], place(column.name, column, i === columns.length - 1)),
    );
    this.#options.sink.write(`${header.join("  ")}\n`);
    for (const row of this.#held) {
      this.#line(columns, row);
    }
    this.#held = [];
    this.#columns = columns;
  }

  #line(columns: readonly Column[], row: OutputRow): void {
    const cells = columns.map((column, i) =>
      place(this.#cell(row, column.name), column, i === columns.length - 1),
    );
    this.#options.sink.write(`${cells.join("  ")}\n`);
  }

  #cell(row: OutputRow, name: string): string {
    const value = fieldOf(row, name);
    if (typeof value === "number" && !Number.isInteger(value)) {
      return String(Number(value.toPrecision(SHOWN_DIGITS)));
    }
    const text = cellText(row, name);
    if ((name === "time" || name === "received") && /^\d{4}-\d\d-\d\dT/.test(text)) {
      const ms = Date.parse(text);
      return Number.isNaN(ms) ? escapeText(text) : formatMoment(ms, this.#options.zone);
    }
    const shown = name === "body" && text.endsWith("\r") ? text.slice(0, -1) : text;
    return this.#options.isTerminal ? escapeText(shown) : shown;
  }
}

function place(text: string, { width, isNumber }: Column, isLast: boolean): string {
  const room = " ".repeat(Math.max(0, width - stringWidth(text)));
  return isNumber ? room + text : isLast ? text : text + room;
}

function isNumeric(cell: string): boolean {
  return cell === "" || /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(cell);
}
