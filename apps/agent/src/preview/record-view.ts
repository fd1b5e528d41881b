import { styleText } from "node:util";
import { formatTimeRfc3339, severityName, timeUs } from "@sluice/quantity";
import { escapeText } from "@sluice/service";

import { toLineText } from "../processing/line-text.ts";
import type { ProcessingCounts } from "../processing/processing-counts.ts";
import type { ProcessedRecord, Processor } from "../processing/processor.ts";
import type { SourceRecord } from "../record-feed.ts";

type StyleFormat = Parameters<typeof styleText>[0];

/** What a rule has done to a record, in the words of the configuration. */
const MARKS: readonly (readonly [keyof ProcessingCounts, string])[] = [
  ["excluded", "dropped by include_lines or exclude_lines"],
  ["sampled", "dropped by sample"],
  ["rateLimited", "dropped by rate_limit"],
  ["redactions", "redacted"],
  ["unparsed", "not parsed"],
  ["droppedAttributes", "too many attributes"],
  ["failed", "a rule failed"],
];

const LEVEL_STYLES: Readonly<Record<string, StyleFormat>> = {
  unknown: "dim",
  trace: "dim",
  debug: "dim",
  info: "blue",
  warn: "yellow",
  error: "red",
  fatal: ["red", "bold"],
};

const INDENT = " ".repeat(34);

/** Shows what the rules make of records, for people: nothing in it can move a terminal's cursor. */
export class RecordView {
  readonly #processor: Processor;
  readonly #hasColor: boolean;

  constructor(processor: Processor, hasColor: boolean) {
    this.#processor = processor;
    this.#hasColor = hasColor;
  }

  /** Lines, each with its LF. */
  show(record: SourceRecord, readAtUs: number): string {
    const before = { ...this.#processor.counts };
    const processed = this.#processor.process(record, readAtUs);
    const { counts } = this.#processor;
    const marks = MARKS.filter(([rule]) => counts[rule] > before[rule]).map(([, mark]) => mark);
    if (record.originalBytes !== undefined) {
      marks.push(`cut from ${record.originalBytes} bytes`);
    }
    const lines =
      processed === undefined
        ? this.#dropped(record)
        : this.#kept(processed, processed.timeUs === readAtUs);
    const attributes = Object.entries(processed?.attributes ?? {}).map(
      ([name, value]) => `${this.#paint("cyan", escapeText(name))}=${escapeText(value)}`,
    );
    if (attributes.length > 0) {
      lines.push(`${INDENT}${attributes.join(" ")}`);
    }
    if (marks.length > 0) {
      lines.push(`${INDENT}${this.#paint("magenta", `[${marks.join("; ")}]`)}`);
    }
    return lines.map((line) => `${line}\n`).join("");
  }

  #kept({ body, timeUs: time, severity }: ProcessedRecord, isReadingTime: boolean): string[] {
    const clock = formatTimeRfc3339(timeUs(time));
    const level = severityName(severity);
    const shownTime = isReadingTime ? this.#paint("dim", "(no time of its own)".padEnd(27)) : clock;
    const shownLevel = (level === "unknown" ? "-" : level.toUpperCase()).padEnd(5);
    const head = `${shownTime} ${this.#paint(LEVEL_STYLES[level] ?? "dim", shownLevel)} `;
    return this.#body(body, head);
  }

  #dropped({ body }: SourceRecord): string[] {
    return this.#body(body, `${this.#paint("dim", "-".repeat(27))}       `).map((line) =>
      this.#paint("dim", line),
    );
  }

  /** The record's lines one below the other. */
  #body(body: Uint8Array, head: string): string[] {
    const { text } = toLineText(body);
    const [first = "", ...rest] = text.split("\n").map((line) => escapeText(line));
    return [
      `${head}${first}`,
      ...rest.map((line) => `${INDENT}${this.#paint("dim", "|")} ${line}`),
    ];
  }

  #paint(format: StyleFormat, text: string): string {
    return this.#hasColor && text !== ""
      ? styleText(format, text, { validateStream: false })
      : text;
  }
}
