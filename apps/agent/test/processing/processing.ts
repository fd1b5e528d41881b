import type { ProcessingSettings } from "../../src/agent-settings.ts";
import { type ProcessedRecord, Processor } from "../../src/processing/processor.ts";
import type { SourceRecord } from "../../src/record-feed.ts";
import { Stamper } from "../../src/stamp/stamper.ts";

export const READ_AT_US: number = Date.UTC(2026, 10, 26, 23) * 1000;

export function recordOf(
  body: string | Uint8Array,
  more: Partial<SourceRecord> = {},
): SourceRecord {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return { body: bytes, sourceBytes: bytes.length + 1, cursor: () => new Uint8Array(), ...more };
}

export function processorOf(settings: ProcessingSettings): Processor {
  return new Processor(new Stamper({ zone: 0 }), settings);
}

export function processed(
  settings: ProcessingSettings,
  body: string | Uint8Array,
  more: Partial<SourceRecord> = {},
): ProcessedRecord | undefined {
  return processorOf(settings).process(recordOf(body, more), READ_AT_US);
}

export function timeOf(text: string): number {
  return Date.parse(text) * 1000;
}
