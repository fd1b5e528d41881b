import { createPaint, escapeText, type Paint } from "@sluice/service";
import stringWidth from "string-width";

import { decodeBytes } from "./escape.ts";
import { createHighlighter, type Highlighter } from "./highlight.ts";
import type { Printer, PrinterOptions } from "./printer.ts";
import { bodyBytes } from "./raw.ts";
import { type OutputRow, parseRows } from "./row.ts";
import { formatClock, formatDay, formatMoment } from "./time.ts";

type PrettyOptions = Pick<
  PrinterOptions,
  "sink" | "isTerminal" | "hasColor" | "zone" | "nowMs" | "filter"
>;

type StyleFormat = Parameters<Paint>[0];

/** Three letters a level, so that they stand in a column; quiet where nothing is known. */
const LEVELS: ReadonlyMap<string, readonly [string, StyleFormat]> = new Map([
  ["trace", ["TRC", "dim"]],
  ["debug", ["DBG", "dim"]],
  ["info", ["INF", "blue"]],
  ["warn", ["WRN", "yellow"]],
  ["error", ["ERR", ["red", "bold"]]],
  ["fatal", ["FTL", ["white", "bgRed", "bold"]]],
]);

const NO_LEVEL: readonly [string, StyleFormat] = [" - ", "dim"];

/** Columns never grow wider than this; what is longer just takes its room. */
const MAX_COLUMN = 28;

/**
 * For people: time, level, host, source and body, one record a line, never wrapped. On a terminal
 * the day has a line of its own where it changes; in a pipe each line has the whole time.
 */
export class PrettyPrinter implements Printer {
  readonly #options: PrettyOptions;
  readonly #paint: Paint;
  readonly #highlight: Highlighter;
  #day: string;
  #hostWidth = 0;
  #sourceWidth = 0;

  constructor(options: PrettyOptions) {
    this.#options = options;
    this.#paint = createPaint(options.hasColor);
    this.#highlight = createHighlighter(options.hasColor ? options.filter : undefined);
    this.#day = formatDay(options.nowMs, options.zone);
  }

  print(chunk: Uint8Array): void {
    const rows = parseRows(chunk).map((row) => ({
      row,
      host: this.#safe(textOf(row, "host")),
      source: shortenSource(this.#safe(textOf(row, "source"))),
    }));
    for (const { host, source } of rows) {
      this.#hostWidth = Math.max(this.#hostWidth, Math.min(stringWidth(host), MAX_COLUMN));
      this.#sourceWidth = Math.max(this.#sourceWidth, Math.min(stringWidth(source), MAX_COLUMN));
    }
    for (const { row, host, source } of rows) {
      const [level, format] = LEVELS.get(textOf(row, "level")) ?? NO_LEVEL;
      const paint = this.#paint;
      this.#options.sink.write(
        `${this.#time(row)}  ${paint(format, level)}  ${paint("cyan", host)}${pad(host, this.#hostWidth)}  ${paint("dim", source)}${pad(source, this.#sourceWidth)}  `,
      );
      this.#writeBody(row);
    }
  }

  end(): void {}

  #time(row: OutputRow): string {
    const ms = Date.parse(textOf(row, "time"));
    const { isTerminal, zone, sink } = this.#options;
    if (Number.isNaN(ms)) {
      return this.#safe(textOf(row, "time"));
    }
    if (!isTerminal) {
      return formatMoment(ms, zone);
    }
    const day = formatDay(ms, zone);
    if (day !== this.#day) {
      this.#day = day;
      sink.write(`${this.#paint("dim", `── ${day} ──`)}\n`);
    }
    return this.#paint("dim", formatClock(ms, zone));
  }

  #writeBody(row: OutputRow): void {
    const { sink, isTerminal } = this.#options;
    const { body } = row;
    if (typeof body !== "string" && !isTerminal) {
      sink.write(withoutCr(bodyBytes(row)));
      sink.write("\n");
      return;
    }
    const text = typeof body === "string" ? body : decodeBytes(bodyBytes(row));
    const shown = text.endsWith("\r") ? text.slice(0, -1) : text;
    const { start, parts } = this.#mark(shown);
    sink.write(`${parts.join("")}${this.#safe(shown.slice(start))}\n`);
  }

  /** What was looked for stands out; the rest from `start` on does not. */
  #mark(text: string): { readonly start: number; readonly parts: readonly string[] } {
    const parts: string[] = [];
    let start = 0;
    for (const span of this.#highlight(text)) {
      parts.push(this.#safe(text.slice(start, span.start)));
      parts.push(this.#paint(["bold", "magenta"], this.#visible(text.slice(span.start, span.end))));
      start = span.end;
    }
    return { start, parts };
  }

  #visible(text: string): string {
    return this.#options.isTerminal ? escapeText(text) : text;
  }

  #safe(text: string): string {
    return this.#options.isTerminal
      ? escapeText(text, (escape) => this.#paint("dim", escape))
      : text;
  }
}

/** The end of a path says the most: `/var/log/nginx/error.log` is `nginx/error.log`. */
export function shortenSource(source: string): string {
  if (!source.startsWith("/")) {
    return source;
  }
  const inLog = /^\/var\/log\/(.+)$/.exec(source)?.[1];
  const short = inLog ?? source.split("/").slice(-2).join("/");
  return stringWidth(short) <= MAX_COLUMN ? short : `…${short.slice(1 - MAX_COLUMN)}`;
}

function textOf(row: OutputRow, name: string): string {
  const value = row[name];
  return typeof value === "string" ? value : "";
}

function pad(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - stringWidth(text)));
}

function withoutCr(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
}
