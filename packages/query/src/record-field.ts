import type { Attributes, RecordColumns } from "@sluice/protocol";
import { compileBodyField } from "./body-field.ts";

/** What is known of a stream before any of its records is read. */
export interface StreamIdentity {
  readonly host: string;
  readonly source: string;
  /** Labels of the stream's agent, and those of the stream over them. */
  readonly labels: Attributes;
}

export type RecordField = (
  stream: StreamIdentity,
  columns: RecordColumns,
  index: number,
) => string | undefined;

/** Makes the lookup of a field that is not built in: the record's attribute, else the label, else a field of the body. */
export function compileRecordField(name: string): RecordField {
  const bodyField = compileBodyField(name);
  return (stream, columns, index) =>
    own(columns.attributes?.[index], name) ??
    own(stream.labels, name) ??
    bodyField(columns.bodies, bodyStart(columns, index), bodyEnd(columns, index));
}

export function bodyStart(columns: RecordColumns, index: number): number {
  return columns.bodyOffsets[index] ?? 0;
}

/** One past the body's last byte: in front of the LF that follows each body. */
export function bodyEnd(columns: RecordColumns, index: number): number {
  return (columns.bodyOffsets[index + 1] ?? 1) - 1;
}

/** A name such as `constructor` must not find what every object has. */
function own(values: Attributes | undefined, name: string): string | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}
