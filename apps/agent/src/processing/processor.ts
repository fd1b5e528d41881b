import { MAX_TIME_US } from "@sluice/protocol";

import type { SourceRecord } from "../record-feed.ts";
import { MASK, Redactor } from "../redaction/redactor.ts";
import type { Stamper } from "../stamp/stamper.ts";
import { AttributeSet } from "./attribute-set.ts";
import { LineFilter } from "./line-filter.ts";
import { type LineText, toLineText, withoutReturn } from "./line-text.ts";
import { type ProcessingCounts, noCounts } from "./processing-counts.ts";
import type { ProcessingSettings } from "./processing-settings.ts";
import { RateLimiter } from "./rate-limiter.ts";
import type { RecordFields } from "./record-fields.ts";
import { type RecordEvent, RecordReader } from "./record-reader.ts";
import { Sampler } from "./sampler.ts";

/** A record as it leaves the host. */
export interface ProcessedRecord {
  readonly body: Uint8Array;
  readonly timeUs: number;
  readonly severity: number;
  readonly attributes: Readonly<Record<string, string>> | undefined;
}

/**
 * What a stream's rules make of each record: parse, severity, include and exclude, sample and rate
 * limit, redact, in this order (docs/processing.md).
 */
export class Processor {
  /** The same object where it is handed on to the next processor of the stream. */
  readonly counts: ProcessingCounts;
  readonly #reader: RecordReader;
  readonly #attributes: Readonly<Record<string, string>> | undefined;
  readonly #filter: LineFilter | undefined;
  readonly #sampler: Sampler | undefined;
  readonly #limiter: RateLimiter | undefined;
  readonly #redactor: Redactor | undefined;
  readonly #needsText: boolean;

  constructor(
    stamper: Stamper,
    settings: ProcessingSettings = {},
    counts: ProcessingCounts = noCounts(),
  ) {
    const { parse, severity, includeLines = [], excludeLines = [] } = settings;
    this.counts = counts;
    this.#reader = new RecordReader(stamper, parse, severity);
    this.#attributes = settings.attributes;
    const hasFilter = includeLines.length + excludeLines.length > 0;
    this.#filter = hasFilter ? new LineFilter(includeLines, excludeLines) : undefined;
    this.#sampler = settings.sample && new Sampler(settings.sample);
    this.#limiter = settings.rateLimit && new RateLimiter(settings.rateLimit);
    this.#redactor = settings.redact && new Redactor(settings.redact);
    this.#needsText = parse !== undefined || hasFilter || settings.redact !== undefined;
  }

  /** Undefined where a rule drops the record. A rule that fails drops none. */
  process(record: SourceRecord, readAtUs: number): ProcessedRecord | undefined {
    const line = this.#needsText ? toLineText(record.body) : undefined;
    let event: RecordEvent;
    let failure: unknown;
    try {
      event = this.#reader.read(record, line && withoutReturn(line.text), readAtUs);
      if (!this.#keeps(record, event, line, readAtUs)) {
        return undefined;
      }
    } catch (error) {
      this.counts.failed += 1;
      failure = error;
      event = this.#reader.withoutFields(record, readAtUs);
    }
    return this.#finish(record, event, line, failure);
  }

  #keeps(
    record: SourceRecord,
    event: RecordEvent,
    line: LineText | undefined,
    readAtUs: number,
  ): boolean {
    const { counts } = this;
    if (event.isUnparsed) {
      counts.unparsed += 1;
    }
    if (line !== undefined && this.#filter?.keeps(withoutReturn(line.text)) === false) {
      counts.excluded += 1;
      return false;
    }
    if (this.#sampler?.keeps(record, event.timeUs, event.severity) === false) {
      counts.sampled += 1;
      return false;
    }
    const timeUs = event.isTimed ? event.timeUs : undefined;
    if (this.#limiter?.admits(timeUs, readAtUs) === false) {
      counts.rateLimited += 1;
      return false;
    }
    return true;
  }

  #finish(
    record: SourceRecord,
    event: RecordEvent,
    line: LineText | undefined,
    failure: unknown,
  ): ProcessedRecord {
    const timeUs = Math.abs(event.timeUs) <= MAX_TIME_US ? event.timeUs : event.readAtUs;
    const { severity } = event;
    const hasBoth = this.#attributes !== undefined && record.attributes !== undefined;
    if (line === undefined && failure === undefined && !hasBoth) {
      const attributes = this.#attributes ?? record.attributes;
      return { body: record.body, timeUs, severity, attributes };
    }
    const failures = failure === undefined ? [] : [failure];
    const body = this.#redactBody(record.body, line, failures);
    return { body, timeUs, severity, attributes: this.#attributesOf(record, event, failures) };
  }

  #redactBody(body: Uint8Array, line: LineText | undefined, failures: unknown[]): Uint8Array {
    if (this.#redactor === undefined || line === undefined) {
      return body;
    }
    try {
      const redacted = this.#redactor.redact(line.text, line.encoding);
      if (redacted === line.text) {
        return body;
      }
      this.counts.redactions += 1;
      return Buffer.from(redacted, line.encoding);
    } catch (error) {
      // Nothing leaves the host that could not be looked through: the record keeps its place alone.
      this.counts.failed += 1;
      failures.push(error);
      return Buffer.from(MASK);
    }
  }

  #attributesOf(
    record: SourceRecord,
    event: RecordEvent,
    failures: unknown[],
  ): Readonly<Record<string, string>> | undefined {
    let set = new AttributeSet();
    try {
      this.#addAttributes(set, record, event.fields);
    } catch (error) {
      this.counts.failed += 1;
      failures.push(error);
      set = new AttributeSet();
    }
    const [failure] = failures;
    if (failure !== undefined) {
      set.fail(failure);
    }
    const dropped = event.fields?.dropped ?? 0;
    this.counts.droppedAttributes += dropped + set.dropped;
    return set.finish(dropped);
  }

  /** What the operator and the source say comes first: no line can pass itself off for it. */
  #addAttributes(set: AttributeSet, record: SourceRecord, fields: RecordFields | undefined): void {
    const redactor = this.#redactor;
    for (const attributes of [record.attributes, this.#attributes]) {
      for (const name in attributes) {
        const value = attributes[name] ?? "";
        set.add(name, redactor?.redactValue(name, value) ?? value);
      }
    }
    for (let i = 0; i < (fields?.names.length ?? 0); i += 1) {
      const name = fields?.names[i] ?? "";
      const value = fields?.values[i] ?? "";
      set.add(name, redactor?.redactValue(name, value) ?? value);
    }
  }
}
