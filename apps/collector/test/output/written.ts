import { PassThrough } from "node:stream";
import { parseQuery } from "@sluice/query";

import { createPrinter, type Printer, type PrinterOptions } from "../../src/output/printer.ts";
import { Sink } from "../../src/output/sink.ts";

/** 2026-11-24 08:00 UTC, a Tuesday. */
export const NOW_MS: number = Date.UTC(2026, 10, 24, 8);

export interface PrintOptions extends Partial<Omit<PrinterOptions, "sink" | "filter">> {
  readonly query?: string;
}

type Rows = ReadonlyArray<object | string>;

/** What a printer writes for rows (or lines of JSON), which come in as many chunks as there are arrays. */
export function printed(options: PrintOptions, ...chunks: readonly Rows[]): Buffer {
  const { printer, output } = makePrinter(options);
  for (const rows of chunks) {
    printer.print(toChunk(rows));
  }
  printer.end();
  return output();
}

/** A printer that is told of an end after each chunk. */
export function live(options: PrintOptions): {
  /** What was written so far. */
  readonly print: (rows: Rows) => string;
  readonly written: () => string;
} {
  const { printer, output } = makePrinter(options);
  let text = "";
  const written = (): string => (text += output().toString());
  return {
    written,
    print: (rows) => {
      printer.print(toChunk(rows));
      printer.end();
      return written();
    },
  };
}

function makePrinter({ query: filter = "", ...options }: PrintOptions): {
  readonly printer: Printer;
  readonly output: () => Buffer;
} {
  const stream = new PassThrough({ highWaterMark: 1 << 24 });
  const sink = new Sink(stream);
  const query = parseQuery(filter);
  const printer = createPrinter({
    format: "pretty",
    sink,
    isTerminal: false,
    hasColor: false,
    zone: "utc",
    nowMs: NOW_MS,
    fields: undefined,
    isTable: false,
    filter: query.ok ? query.value.filter : undefined,
    ...options,
  });
  const output = (): Buffer => {
    sink.flush();
    return (stream.read() as Buffer | null) ?? Buffer.alloc(0);
  };
  return { printer, output };
}

/** A record's row as the collector renders it. */
export function row(body: string | Uint8Array, more: object = {}): object {
  return {
    time: "2026-11-24T07:59:58.123456Z",
    received: "2026-11-24T07:59:59.000000Z",
    host: "web-1",
    source: "/var/log/nginx/error.log",
    level: "error",
    severity: 17,
    id: "3-7",
    seq: 7,
    ...(typeof body === "string" ? { body } : { bodyBase64: Buffer.from(body).toString("base64") }),
    ...more,
  };
}

function toChunk(rows: Rows): Uint8Array {
  const lines = rows.map((each) => `${typeof each === "string" ? each : JSON.stringify(each)}\n`);
  return Buffer.from(lines.join(""));
}
