import { escapeText } from "@sluice/service";
import { decodeBytes } from "./escape.ts";
import type { Printer, PrinterOptions } from "./printer.ts";
import { type OutputRow, parseRows } from "./row.ts";

/** The bytes of a row's body. */
export function bodyBytes(row: OutputRow): Uint8Array {
  const { body, bodyBase64 } = row;
  return typeof bodyBase64 === "string"
    ? Buffer.from(bodyBase64, "base64")
    : Buffer.from(typeof body === "string" ? body : "");
}

/** Each body and a newline: the very bytes, but for what a terminal must not be given. */
export class RawPrinter implements Printer {
  readonly #options: Pick<PrinterOptions, "sink" | "isTerminal">;

  constructor(options: Pick<PrinterOptions, "sink" | "isTerminal">) {
    this.#options = options;
  }

  print(rows: Uint8Array): void {
    const { sink, isTerminal } = this.#options;
    for (const row of parseRows(rows)) {
      const { body } = row;
      if (isTerminal) {
        sink.write(
          `${typeof body === "string" ? escapeText(body) : escapeText(decodeBytes(bodyBytes(row)))}\n`,
        );
      } else if (typeof body === "string") {
        sink.write(`${body}\n`);
      } else {
        sink.write(bodyBytes(row));
        sink.write("\n");
      }
    }
  }

  end(): void {}
}
