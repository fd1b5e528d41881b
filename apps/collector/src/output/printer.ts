import type { Zone } from "@sluice/quantity";
import type { Filter } from "@sluice/query";

import { CsvPrinter, LogfmtPrinter } from "./columns.ts";
import { JsonLinesPrinter, JsonPrinter } from "./json.ts";
import { PrettyPrinter } from "./pretty.ts";
import { RawPrinter } from "./raw.ts";
import type { Sink } from "./sink.ts";
import { TablePrinter } from "./table.ts";

export const FORMATS = ["pretty", "raw", "json", "jsonl", "logfmt", "csv"] as const;

export type Format = (typeof FORMATS)[number];

/** Writes rows to a sink in one format. */
export interface Printer {
  /** Whole lines of NDJSON. */
  print(rows: Uint8Array): void;
  /** After the last row, or in a live view after the last for now: what was held back is written. */
  end(): void;
}

export interface PrinterOptions {
  readonly format: Format;
  readonly sink: Sink;
  /** Control characters are made visible, and times are short. */
  readonly isTerminal: boolean;
  readonly hasColor: boolean;
  readonly zone: Zone;
  readonly nowMs: number;
  /** The columns that were asked for, by `--fields` or by a stage; undefined for a record's own. */
  readonly fields: readonly string[] | undefined;
  /** Rows are those of a table: a stage made them. */
  readonly isTable: boolean;
  /** Whose matches are highlighted in bodies. */
  readonly filter: Filter | undefined;
}

export function createPrinter(options: PrinterOptions): Printer {
  switch (options.format) {
    case "pretty":
      return options.isTable || options.fields !== undefined
        ? new TablePrinter(options)
        : new PrettyPrinter(options);
    case "raw":
      return new RawPrinter(options);
    case "json":
      return new JsonPrinter(options);
    case "jsonl":
      return new JsonLinesPrinter(options);
    case "logfmt":
      return new LogfmtPrinter(options);
    case "csv":
      return new CsvPrinter(options);
    default:
      return options.format satisfies never;
  }
}
