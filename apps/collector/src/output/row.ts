/** A value of a row as JSON has it; integers beyond 2^53 are bigints. */
export type Value = string | number | bigint | boolean | null | object;

/** A record's or a stage's row. */
export type OutputRow = Readonly<Record<string, Value | undefined>>;

/** The keys of a record's row, in their order; a stage may give others. */
export const RECORD_KEYS: readonly string[] = [
  "time",
  "received",
  "host",
  "source",
  "level",
  "severity",
  "id",
  "seq",
  "body",
  "bodyBase64",
  "attributes",
];

/** Reads whole lines of NDJSON. */
export function parseRows(chunk: Uint8Array): readonly OutputRow[] {
  const { buffer, byteOffset, byteLength } = chunk;
  const lines = Buffer.from(buffer, byteOffset, byteLength).toString("utf8").split("\n");
  lines.pop();
  return lines.map(parseRow);
}

/** 16 digits in a row outside of a string: an integer that may not fit a number. */
const LONG_INTEGER = /[:,[]-?\d{16}/;

function parseRow(line: string): OutputRow {
  return (
    LONG_INTEGER.test(line) ? parseWithSource(line, reviveExactly) : JSON.parse(line)
  ) as OutputRow;
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

// The third argument is younger than its type: https://github.com/tc39/proposal-json-parse-with-source
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

const reviveExactly: Reviver = (_key, value, { source = "" }) =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;

/** A row's value by the name that `--fields` gives: a key of the row, else an attribute. */
export function fieldOf(row: OutputRow, name: string): Value | undefined {
  const { attributes } = row;
  return (
    row[name] ??
    (typeof attributes === "object" && attributes !== null
      ? (attributes as Readonly<Record<string, string>>)[name]
      : undefined)
  );
}

/** JSON of a value, big integers as exact literals. */
export function toJson(value: Value | OutputRow): string {
  if (typeof value === "bigint") {
    return String(value);
  }
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value);
  }
  const entries = Object.entries(value as OutputRow).filter(([, item]) => item !== undefined);
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${toJson(item ?? null)}`).join(",")}}`;
}
