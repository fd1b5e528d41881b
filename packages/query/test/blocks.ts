import type { Attributes, RecordColumns } from "@sluice/protocol";
import type { StreamIdentity } from "../src/record-field.ts";

export interface TestRecord {
  readonly body: string | Uint8Array;
  readonly timeUs?: number;
  readonly severity?: number;
  readonly attributes?: Attributes;
}

export const STREAM: StreamIdentity = { host: "web-1", source: "/var/log/syslog", labels: {} };

/** Columns of some records; a record without a time takes its place as its time. */
export function columnsOf(records: readonly TestRecord[]): RecordColumns {
  const lf = Buffer.from("\n");
  const bodies = records.map(({ body }) => Buffer.from(body as string));
  const bodyOffsets = new Uint32Array(records.length + 1);
  bodies.forEach((body, i) => (bodyOffsets[i + 1] = (bodyOffsets[i] ?? 0) + body.length + 1));
  return {
    count: records.length,
    timesUs: Float64Array.from(records, ({ timeUs }, i) => timeUs ?? i),
    severities: Uint8Array.from(records, ({ severity }) => severity ?? 0),
    bodyOffsets,
    bodies: Buffer.concat(bodies.flatMap((body) => [body, lf])),
    attributes: records.some(({ attributes }) => attributes !== undefined)
      ? records.map(({ attributes }) => attributes)
      : undefined,
  };
}
