import { escapeJson } from "@sluice/service";
import type { Printer, PrinterOptions } from "./printer.ts";
import { fieldOf, parseRows, toJson } from "./row.ts";

type JsonOptions = Pick<PrinterOptions, "sink" | "isTerminal" | "fields">;

/** One object per line, as the collector wrote it where nothing has to be changed. */
export class JsonLinesPrinter implements Printer {
  readonly #options: JsonOptions;

  constructor(options: JsonOptions) {
    this.#options = options;
  }

  print(rows: Uint8Array): void {
    this.#options.sink.write(selectLines(rows, this.#options));
  }

  end(): void {}
}

/** One array, an element per line. */
export class JsonPrinter implements Printer {
  readonly #options: JsonOptions;
  #isFirst = true;

  constructor(options: JsonOptions) {
    this.#options = options;
  }

  print(rows: Uint8Array): void {
    if (rows.length === 0) {
      return;
    }
    const { sink } = this.#options;
    sink.write(this.#isFirst ? "[\n" : ",\n");
    this.#isFirst = false;
    const lines = selectLines(rows, this.#options);
    // latin1 keeps each byte, and there is a LF only between rows.
    const elements = toBuffer(lines).toString("latin1").slice(0, -1).replaceAll("\n", ",\n");
    sink.write(Buffer.from(elements, "latin1"));
  }

  end(): void {
    this.#options.sink.write(this.#isFirst ? "[]\n" : "\n]\n");
  }
}

function selectLines(rows: Uint8Array, { fields, isTerminal }: JsonOptions): Uint8Array | string {
  if (fields === undefined && !isTerminal) {
    return rows;
  }
  const text =
    fields === undefined
      ? toBuffer(rows).toString("utf8")
      : parseRows(rows)
          .map((row) =>
            toJson(Object.fromEntries(fields.map((name) => [name, fieldOf(row, name)]))),
          )
          .map((line) => `${line}\n`)
          .join("");
  return isTerminal ? escapeJson(text) : text;
}

function toBuffer(part: Uint8Array | string): Buffer {
  return typeof part === "string"
    ? Buffer.from(part)
    : Buffer.from(part.buffer, part.byteOffset, part.byteLength);
}
