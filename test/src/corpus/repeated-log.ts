import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_TIME_US } from "@sluice/protocol";

import { SEVERITY } from "./line-source.ts";
import type { LineSource } from "./line-source.ts";
import { LOGHUB_DIR } from "./loghub.ts";
import type { RecordSource } from "./record-batches.ts";
import { TimeForm } from "./time-form.ts";
import type { TimedLine } from "./time-form.ts";
import type { Transfer } from "./transfer.ts";

/** How the lines of each sample file begin. */
const FORMS = {
  Android: "%m-%d %H:%M:%S.%L",
  Apache: "[%a %b %d %H:%M:%S %Y]",
  HDFS: "%y%m%d %H%M%S",
  HPC: "%w %w %w %w %s",
  Hadoop: "%Y-%m-%d %H:%M:%S,%L",
  Linux: "%b %e %H:%M:%S",
  OpenSSH: "%b %e %H:%M:%S",
  OpenStack: "%w %Y-%m-%d %H:%M:%S.%L",
  Spark: "%y/%m/%d %H:%M:%S",
  Thunderbird: "- %s %Y.%m.%d %w %b %E %H:%M:%S",
  Windows: "%Y-%m-%d %H:%M:%S",
  Zookeeper: "%Y-%m-%d %H:%M:%S,%L",
} as const;

export type SampleName = keyof typeof FORMS;
export const SAMPLES = Object.keys(FORMS) as readonly SampleName[];

const HOUR_MS = 3_600_000;
/** A file that spans years is repeated day by day: its times would outgrow their columns. */
const LONG_SPAN_MS = 2400 * HOUR_MS;
const LEVEL_WINDOW = 96;
const LEVEL = /\b(?:(fatal|error|err|E)|(warning|warn|W)|(info|notice|I)|(debug|D))\b/i;

interface SampleLine {
  readonly text: string;
  readonly timed: TimedLine | undefined;
  readonly severity: number;
}

/**
 * A sample file over and over, each time with the times of its lines moved on by whole hours, as
 * the file writes them. Bytes are kept as they are, CRs included.
 */
export class RepeatedLog implements RecordSource {
  timeUs = 0;
  readonly #lines: readonly SampleLine[];
  readonly #shiftMs: number;
  /** Beyond them its times would outgrow their column: it begins anew. */
  readonly #mostRepetitions: number;
  #repetition = 0;
  #next = 0;

  /** Throws where the file is not there. */
  constructor(name: SampleName) {
    const form = new TimeForm(FORMS[name]);
    const text = readFileSync(join(LOGHUB_DIR, `${name}_2k.log`), "latin1");
    this.#lines = text
      .replace(/\n$/, "")
      .split("\n")
      .map((line) => ({ text: line, timed: form.take(line), severity: severityOf(line) }));
    const timesMs = this.#lines.flatMap(({ timed }) => (timed === undefined ? [] : [timed.timeMs]));
    const spanMs = Math.max(...timesMs) - Math.min(...timesMs) + 1;
    this.#shiftMs = spanMs > LONG_SPAN_MS ? 24 * HOUR_MS : Math.ceil(spanMs / HOUR_MS) * HOUR_MS;
    const roomMs = MAX_TIME_US / 1000 - Math.max(...timesMs);
    this.#mostRepetitions = Math.floor(roomMs / this.#shiftMs);
  }

  readonly next: LineSource = (writer) => {
    const line = this.#lines[this.#next];
    if (line === undefined) throw new Error("an empty sample");
    const shiftMs = this.#repetition * this.#shiftMs;
    let text = line.text;
    if (line.timed !== undefined) {
      const timeMs = line.timed.timeMs + shiftMs;
      text = line.timed.at(timeMs);
      this.timeUs = timeMs * 1000;
    }
    writer.text(Buffer.from(text, "latin1"));
    writer.byte(0x0a);
    this.#next += 1;
    if (this.#next === this.#lines.length) {
      this.#next = 0;
      this.#repetition = (this.#repetition + 1) % this.#mostRepetitions;
    }
    return line.severity;
  };

  begin(): readonly Transfer[] {
    return [];
  }
}

function severityOf(line: string): number {
  const [, error, warn, info, debug] = LEVEL.exec(line.slice(0, LEVEL_WINDOW)) ?? [];
  if (error !== undefined) return SEVERITY.error;
  if (warn !== undefined) return SEVERITY.warn;
  if (info !== undefined) return SEVERITY.info;
  return debug === undefined ? SEVERITY.none : SEVERITY.debug;
}
