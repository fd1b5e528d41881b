import type { RecordFields } from "./record-fields.ts";

/** Objects within objects, whose fields are named by dotted paths; what is deeper is one field, as JSON. */
const MOST_LEVELS = 8;
/**
 * Numbers that are written otherwise than JavaScript would write them: more digits than a double
 * holds, zeros at the end, exponents, a negative zero.
 */
const UNUSUAL_NUMBER =
  /[:,[]\s*-?(?:\d{16}|\d+\.\d{16}|\d+\.\d*0[\s,}\]]|\d+(?:\.\d+)?[eE]|0(?<=-0)[\s,}\]])/;

/** The part of ECMAScript's JSON (2025, "JSON.parse source text access") that the types do not have yet. */
const JSON_SOURCE = JSON as unknown as {
  readonly parse: (
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ) => unknown;
  readonly rawJSON: (text: string) => unknown;
};

/** One JSON object, with nothing around it. Numbers are kept as they are written. */
export function parseJson(text: string, fields: RecordFields): boolean {
  if (!/^\s*\{/.test(text)) {
    return false;
  }
  let parsed: unknown;
  try {
    parsed = UNUSUAL_NUMBER.test(text) ? JSON_SOURCE.parse(text, keepNumber) : JSON.parse(text);
  } catch {
    return false; // A line that is not JSON is no fault: it is counted and shipped as it is.
  }
  addFields(parsed as object, "", 1, fields);
  return true;
}

function addFields(object: object, prefix: string, level: number, fields: RecordFields): void {
  for (const key of Object.keys(object)) {
    const value: unknown = (object as Record<string, unknown>)[key];
    const name = prefix === "" ? key : prefix + key;
    if (typeof value === "string") {
      fields.add(name, value);
    } else if (value instanceof WrittenNumber) {
      fields.add(name, value.text);
    } else if (typeof value !== "object" || value === null) {
      fields.add(name, String(value));
    } else if (level < MOST_LEVELS && !Array.isArray(value)) {
      addFields(value, `${name}.`, level + 1, fields);
    } else {
      addNested(name, value, fields);
    }
  }
}

function addNested(name: string, value: object, fields: RecordFields): void {
  try {
    fields.add(name, JSON.stringify(value));
  } catch {
    fields.dropped += 1; // Nested deeper than the stack goes.
  }
}

/** A number with the text that it has in the record. */
class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Within a list or a deep object it is that text again. */
  toJSON(): unknown {
    return JSON_SOURCE.rawJSON(this.text);
  }
}

function keepNumber(
  _key: string,
  value: unknown,
  { source }: { readonly source?: string },
): unknown {
  return typeof value === "number" && source !== undefined ? new WrittenNumber(source) : value;
}
