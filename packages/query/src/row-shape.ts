import type { RecordColumns } from "@sluice/protocol";
import { severityName } from "@sluice/quantity";
import type { Cell } from "./cell.ts";
import { bodyEnd, bodyStart, compileRecordField } from "./record-field.ts";
import type { StreamIdentity } from "./record-field.ts";
import { decodeUtf8 } from "./utf8.ts";

/** A record where it lies. It keeps its whole block in memory. */
export interface RecordRef {
  readonly stream: StreamIdentity;
  readonly columns: RecordColumns;
  readonly index: number;
}

export interface Column {
  readonly name: string;
  /** `time` cells are microseconds since 1970, `number` cells numbers or bigints, `text` cells whatever the field held. */
  readonly type: "time" | "number" | "text";
}

/** What a stage must know of the rows that it is given. */
export interface RowShape<R> {
  /** Undefined for records, which have any field. */
  readonly columns: readonly Column[] | undefined;
  readonly column: (name: string) => Column;
  readonly reader: (name: string) => (row: R) => Cell;
  /** A row that may be kept, and about how many bytes that costs. */
  readonly keep: (row: R) => { readonly row: R; readonly bytes: number };
}

/** What an object costs besides its contents, roughly. */
const OBJECT_BYTES = 200;

/** Records: `time`, `host`, `source`, `level`, `severity` and `body` are built in; others are looked up as filters do. */
export const RECORD_SHAPE: RowShape<RecordRef> = {
  columns: undefined,
  column: (name) => ({
    name,
    type: name === "time" ? "time" : name === "severity" ? "number" : "text",
  }),
  reader: recordReader,
  keep: (record) => {
    const row = copyRecord(record);
    return { row, bytes: row.columns.bodies.length + OBJECT_BYTES };
  },
};

/** Rows of cells in the order of their columns. */
export function tableShape(columns: readonly Column[]): RowShape<readonly Cell[]> {
  const indexOf = (name: string): number => {
    const index = columns.findIndex((column) => column.name === name);
    if (index === -1) {
      throw new RangeError(`no column is called ${name}`);
    }
    return index;
  };
  return {
    columns,
    column: (name) => ({ type: columns[indexOf(name)]?.type ?? "text", name }),
    reader: (name) => {
      const index = indexOf(name);
      return (row) => row[index];
    },
    keep: (row) => ({
      row,
      bytes: row.reduce<number>(
        (sum, cell) => sum + (typeof cell === "string" ? 2 * cell.length : 8),
        OBJECT_BYTES,
      ),
    }),
  };
}

function recordReader(name: string): (record: RecordRef) => Cell {
  switch (name) {
    case "time":
      return ({ columns, index }) => columns.timesUs[index];
    case "host":
      return ({ stream }) => stream.host;
    case "source":
      return ({ stream }) => stream.source;
    case "severity":
      return ({ columns, index }) => columns.severities[index];
    case "level":
      return ({ columns, index }) => severityName(columns.severities[index] ?? 0);
    case "body":
      return ({ columns, index }) =>
        decodeUtf8(columns.bodies, bodyStart(columns, index), bodyEnd(columns, index));
    default: {
      const field = compileRecordField(name);
      return ({ stream, columns, index }) => field(stream, columns, index);
    }
  }
}

/** A block of the one record, so that the others can be forgotten. */
function copyRecord({ stream, columns, index }: RecordRef): RecordRef {
  const bodies = columns.bodies.slice(bodyStart(columns, index), bodyEnd(columns, index) + 1);
  return {
    stream,
    index: 0,
    columns: {
      count: 1,
      timesUs: columns.timesUs.slice(index, index + 1),
      severities: columns.severities.slice(index, index + 1),
      bodyOffsets: Uint32Array.of(0, bodies.length),
      bodies,
      attributes: columns.attributes?.slice(index, index + 1),
    },
  };
}
