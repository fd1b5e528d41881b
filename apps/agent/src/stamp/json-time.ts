/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
/** What a top-level key of a JSON line is to the stamper. */
export const JSON_FIELD = { time: 1, level: 2 } as const;
export type JsonField = (typeof JSON_FIELD)[keyof typeof JSON_FIELD];

const encoder = new TextEncoder();
const FIELDS: readonly (readonly [Uint8Array, JsonField])[] = [
  ...["time", "ts", "timestamp", "@timestamp"].map(
    (key) => [encoder.encode(key), JSON_FIELD.time] as const,
  ),
  ...["level", "severity", "lvl"].map((key) => [encoder.encode(key), JSON_FIELD.level] as const),
];

/**
 * Walks the top-level keys of a JSON object that say when and how severe, without parsing the rest:
 * nested values are stepped over, text after an error is never looked at.
 */
export class JsonFields {
  field: JsonField = JSON_FIELD.time;
  /** The value's bytes, without its quotes, as a half-open range. */
  valueStart = 0;
  valueEnd = 0;
  quoted = false;
  #at = 0;

  /** Starts behind an opening brace. */
  open(afterBrace: number): void {
    this.#at = afterBrace;
  }

  /** Moves to the next such key with a scalar value; false at the object's end or where it breaks. */
  next(buffer: Uint8Array, end: number): boolean {
    let at = this.#at;
    for (;;) {
      at = skipSpace(buffer, at, end);
      if (at < end && buffer[at] === 0x2c) at = skipSpace(buffer, at + 1, end);
      if (at >= end || buffer[at] !== 0x22) return false;
      const keyStart = at + 1;
      const keyEnd = stringEnd(buffer, keyStart, end);
      at = skipSpace(buffer, keyEnd + 1, end);
      if (at >= end || buffer[at] !== 0x3a) return false;
      at = skipSpace(buffer, at + 1, end);
      if (at >= end) return false;
      const field = fieldNamed(buffer, keyStart, keyEnd);
      const first = buffer[at]!;
      const nested = first === 0x7b || first === 0x5b;
      this.quoted = first === 0x22;
      this.valueStart = this.quoted ? at + 1 : at;
      this.valueEnd = this.quoted ? stringEnd(buffer, at + 1, end) : at;
      if (this.quoted) at = this.valueEnd + 1;
      else if (nested) at = nestedEnd(buffer, at, end);
      else this.valueEnd = at = scalarEnd(buffer, at, end);
      if (field !== 0 && !nested) {
        this.#at = at;
        this.field = field;
        return true;
      }
    }
  }
}

function fieldNamed(buffer: Uint8Array, start: number, end: number): JsonField | 0 {
  for (const [key, field] of FIELDS) {
    if (key.length !== end - start) continue;
    let i = 0;
    while (i < key.length && buffer[start + i] === key[i]) i += 1;
    if (i === key.length) return field;
  }
  return 0;
}

function skipSpace(buffer: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && (buffer[i] === 0x20 || buffer[i] === 0x09)) i += 1;
  return i;
}

/** Where a string's closing quote is, or `end` where it has none. */
function stringEnd(buffer: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const byte = buffer[i]!;
    if (byte === 0x22) return i;
    i += byte === 0x5c ? 2 : 1;
  }
  return end;
}

function scalarEnd(buffer: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const byte = buffer[i]!;
    if (byte === 0x2c || byte === 0x7d || byte <= 0x20) break;
    i += 1;
  }
  return i;
}

/** Behind the bracket that closes the object or array at `at`, or `end`. */
function nestedEnd(buffer: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let i = at;
  while (i < end) {
    const byte = buffer[i]!;
    if (byte === 0x22) {
      i = stringEnd(buffer, i + 1, end);
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
    i += 1;
  }
  return end;
}
