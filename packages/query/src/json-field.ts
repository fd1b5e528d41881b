// Hot loops over typed arrays: an index is in range by the loop's own bounds.
/* oxlint-disable typescript/no-non-null-assertion */
import { decodeUtf8 } from "./utf8.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Finds a field of the JSON object that begins at `start`, without building the object: the text of a string, else the
 * value as it is written, so that long integers stay exact.
 *
 * `name` is UTF-8. A dot in it is a dot in a key or a step into a nested object; the first match in the object's order
 * counts. Keys are compared as they are written, escapes included. Only what stands before the field must be JSON, so
 * a body that was cut off still has the fields before the cut. Undefined where the field is not found.
 */
export function findJsonField(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: Uint8Array,
): string | undefined {
  return findInObject({ bytes, end, name }, start, 0);
}

interface Search {
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly name: Uint8Array;
}

/** `at` is the object's brace; `matched` bytes of the name were keys around it. Recursion takes a part of the name each. */
function findInObject(search: Search, at: number, matched: number): string | undefined {
  const { bytes, end, name } = search;
  at = skipSpace(bytes, at + 1, end);
  while (at < end && bytes[at] === QUOTE) {
    const keyStart = at + 1;
    const keyEnd = stringEnd(bytes, keyStart, end);
    at = skipSpace(bytes, keyEnd + 1, end);
    if (at >= end || bytes[at] !== COLON) {
      return undefined;
    }
    at = skipSpace(bytes, at + 1, end);
    const through = matchKey(search, keyStart, keyEnd, matched);
    if (through === name.length) {
      return readValue(bytes, at, end);
    }
    if (through !== -1 && bytes[at] === OPEN_BRACE) {
      const found = findInObject(search, at, through + 1);
      if (found !== undefined) {
        return found;
      }
    }
    at = skipSpace(bytes, valueEnd(bytes, at, end), end);
    if (at >= end || bytes[at] !== COMMA) {
      return undefined;
    }
    at = skipSpace(bytes, at + 1, end);
  }
  return undefined;
}

/** How much of the name is matched with this key: all of it, up to a dot, or -1. */
function matchKey(
  { bytes, name }: Search,
  keyStart: number,
  keyEnd: number,
  matched: number,
): number {
  const through = matched + (keyEnd - keyStart);
  if (through > name.length || (through < name.length && name[through] !== DOT)) {
    return -1;
  }
  for (let i = keyStart; i < keyEnd; i++) {
    if (bytes[i] !== name[matched + i - keyStart]) {
      return -1;
    }
  }
  return through;
}

function readValue(bytes: Uint8Array, at: number, end: number): string | undefined {
  const behind = valueEnd(bytes, at, end);
  if (behind === at || behind > end) {
    return undefined;
  }
  if (bytes[at] !== QUOTE) {
    return decodeUtf8(bytes, at, behind);
  }
  const content = decodeUtf8(bytes, at + 1, behind - 1);
  return content.includes("\\") ? unescape(content) : content;
}

function unescape(content: string): string {
  try {
    return JSON.parse(`"${content}"`) as string;
  } catch {
    // Not an escape that JSON knows: the text as it is written is still the best answer.
    return content;
  }
}

/** One past the value at a place; beyond `end` where it is cut off. */
function valueEnd(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (at < end && first === QUOTE) {
    return stringEnd(bytes, at + 1, end) + 1;
  }
  if (at < end && (first === OPEN_BRACE || first === OPEN_BRACKET)) {
    return nestEnd(bytes, at, end);
  }
  while (at < end && !endsScalar(bytes[at]!)) {
    at++;
  }
  return at;
}

function nestEnd(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      at = stringEnd(bytes, at + 1, end);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth === 0) {
        return at + 1;
      }
    }
    at++;
  }
  return end + 1;
}

/** The place of the quote that ends a string, or `end`. */
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== QUOTE) {
    at += bytes[at] === BACKSLASH ? 2 : 1;
  }
  return Math.min(at, end);
}

function endsScalar(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isSpace(bytes[at]!)) {
    at++;
  }
  return at;
}
