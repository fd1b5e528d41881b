// Hot loops over typed arrays: an index is in range by the loop's own bounds.
/* oxlint-disable typescript/no-non-null-assertion */
import { decodeUtf8 } from "./utf8.ts";

const QUOTE = 0x22;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
/** What may stand in front of a key. `?` and `&` may not: a URL's parameters are no fields of the event. */
const BEFORE_KEY = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte <= 0x20 || ",;([{<|\"'".includes(String.fromCharCode(byte)) ? 1 : 0,
);
const CLOSERS = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
  [">", "<"],
]);

/**
 * Finds the first `name=value` or `name="va lue"` in a body of any shape. A value ends at white space; a comma or
 * semicolon at its end, and a closing bracket that it did not open, belong to the text around it: `(uid=0)` is 0.
 * `name` is UTF-8. Undefined where there is none.
 */
export function findLogfmtField(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: Uint8Array,
): string | undefined {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== EQUALS) {
      continue;
    }
    const found = endsWithKey(bytes, start, at, name);
    if (bytes[at + 1] === QUOTE && at + 1 < end) {
      const close = closingQuote(bytes, at + 2, end);
      if (close < end) {
        if (found) {
          return unescape(decodeUtf8(bytes, at + 2, close));
        }
        // What looks like a field inside a quoted value is none.
        at = close;
        continue;
      }
    }
    if (found) {
      return trimValue(decodeUtf8(bytes, at + 1, bareEnd(bytes, at + 1, end)));
    }
  }
  return undefined;
}

/** Whether the key in front of an equals sign is exactly the name. */
function endsWithKey(bytes: Uint8Array, start: number, equals: number, name: Uint8Array): boolean {
  const keyStart = equals - name.length;
  if (keyStart < start || (keyStart > start && BEFORE_KEY[bytes[keyStart - 1]!] === 0)) {
    return false;
  }
  for (let i = 0; i < name.length; i++) {
    if (bytes[keyStart + i] !== name[i]) {
      return false;
    }
  }
  return true;
}

function closingQuote(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== QUOTE) {
    at += bytes[at] === BACKSLASH ? 2 : 1;
  }
  return at;
}

function bareEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at]! > 0x20) {
    at++;
  }
  return at;
}

function trimValue(value: string): string {
  let end = value.length;
  for (; end > 0; end--) {
    const last = value.charAt(end - 1);
    const opener = CLOSERS.get(last);
    if (last !== "," && last !== ";" && (opener === undefined || value.includes(opener))) {
      break;
    }
  }
  return value.slice(0, end);
}

function unescape(value: string): string {
  return value.replaceAll(/\\(.)/gs, (_, escaped: string) => {
    switch (escaped) {
      case "n":
        return "\n";
      case "r":
        return "\r";
      case "t":
        return "\t";
      default:
        return escaped;
    }
  });
}
