import type { RecordFields } from "./record-fields.ts";

/** A key without its `=` is a flag, and no field. */
const PAIR = /([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"]\S*)?))(?=\s|$)/sy;
const BETWEEN = /\s+|[^\s="]+(?=\s|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** `key=value key="a value" flag`, nothing but that: prose with an equals sign in it is not logfmt. */
export function parseLogfmt(text: string, fields: RecordFields): boolean {
  let at = 0;
  let pairs = 0;
  let flags = 0;
  while (at < text.length) {
    PAIR.lastIndex = at;
    const pair = PAIR.exec(text);
    if (pair !== null) {
      const [, key = "", quoted, bare = ""] = pair;
      fields.add(key, quoted === undefined ? bare : unescape(quoted));
      pairs += 1;
      at = PAIR.lastIndex;
      continue;
    }
    BETWEEN.lastIndex = at;
    const between = BETWEEN.exec(text);
    if (between === null) {
      return false;
    }
    flags += between[0].trim() === "" ? 0 : 1;
    at = BETWEEN.lastIndex;
  }
  return pairs > 0 && flags <= pairs;
}

function unescape(text: string): string {
  return text.includes("\\")
    ? text.replaceAll(/\\(.)/gs, (_escape, letter: string) => ESCAPES[letter] ?? letter)
    : text;
}
