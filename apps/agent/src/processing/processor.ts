import { MAX_TIME_US } from "@sluice/protocol";

import type { ProcessingSettings } from "../agent-settings.ts";
import type { SourceRecord } from "../record-feed.ts";
import type { Stamper } from "../stamp/stamper.ts";

/** A record as it leaves the host. */
export interface ProcessedRecord {
  readonly body: Uint8Array;
  readonly timeUs: number;
  readonly severity: number;
  readonly attributes: Readonly<Record<string, string>> | undefined;
}

/** What a stream's rules make of each record. */
export class Processor {
  readonly #stamper: Stamper;
  readonly #attributes: Readonly<Record<string, string>> | undefined;

  constructor(stamper: Stamper, settings?: ProcessingSettings) {
    this.#stamper = stamper;
    this.#attributes = settings?.attributes;
  }

  /** Undefined where a rule drops the record. */
  process(record: SourceRecord, readAtUs: number): ProcessedRecord | undefined {
    const { body } = record;
    const attributes =
      this.#attributes === undefined
        ? record.attributes
        : { ...this.#attributes, ...record.attributes };
    if (record.timeUs !== undefined) {
      const timeUs = Math.abs(record.timeUs) <= MAX_TIME_US ? record.timeUs : readAtUs;
      return { body, timeUs, severity: record.severity ?? 0, attributes };
    }
    this.#stamper.stamp(body, 0, body.length, readAtUs);
    const { timeUs, severity } = this.#stamper;
    return {
      body,
      timeUs: Math.abs(timeUs) <= MAX_TIME_US ? timeUs : readAtUs,
      severity: record.severity ?? severity,
      attributes,
    };
  }
}
