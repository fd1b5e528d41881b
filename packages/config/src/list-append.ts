import { isMap, isScalar, isSeq, parseDocument, stringify } from "yaml";
import type { YAMLSeq } from "yaml";

const STYLE = { lineWidth: 0 } as const;

/**
 * Adds an item to a list under a key of a YAML document, as a person would: behind the last item, in
 * its indentation, with every other character of the text left as it is. A list in brackets, or one
 * that is not there, is written by the `yaml` library, which keeps comments.
 *
 * @param text a document that `loadConfig` takes
 * @param key of the document's mapping; what is there must be a list, or nothing
 */
export function appendToList(text: string, key: string, item: unknown): string {
  const document = parseDocument(text);
  const contents = document.contents;
  if (contents !== null && !isMap(contents)) {
    throw new TypeError("the document is not a mapping");
  }
  const list = document.get(key, true);
  const before: unknown = isSeq(list) ? list.toJS(document) : [];
  const inserted = isSeq(list)
    ? insertBehind(text, list, item)
    : insertUnderKey(text, contents, key, item);
  const expected = JSON.stringify([...(before as unknown[]), item]);
  if (inserted !== undefined && JSON.stringify(readList(inserted, key)) === expected) {
    return inserted;
  }
  if (isSeq(list)) {
    list.add(document.createNode(item));
  } else {
    document.set(key, document.createNode([item]));
  }
  return document.toString(STYLE);
}

function readList(text: string, key: string): unknown {
  const document = parseDocument(text);
  return document.errors.length > 0 ? undefined : (document.toJS() as Record<string, unknown>)[key];
}

/** Undefined for a list that is empty or in brackets. */
function insertBehind(text: string, list: YAMLSeq, item: unknown): string | undefined {
  const last = list.items.at(-1) as { readonly range?: readonly number[] | null } | undefined;
  const start = list.range?.[0];
  const end = last?.range?.[1];
  if (list.flow === true || start === undefined || end === undefined) {
    return undefined;
  }
  const indent = " ".repeat(start - (text.lastIndexOf("\n", start - 1) + 1));
  // What stands behind the last item on its line, such as a comment, stays with it.
  const at = text[end - 1] === "\n" ? end : lineEndFrom(text, end);
  return insertAt(text, at, toItem(item, indent));
}

/** Behind the key where it stands without a value, or else at the end; undefined where it has one. */
function insertUnderKey(
  text: string,
  map: unknown,
  key: string,
  item: unknown,
): string | undefined {
  const pair = isMap(map) ? map.items.find((each) => keyOf(each.key) === key) : undefined;
  if (pair === undefined) {
    return insertAt(text, text.length, `${key}:\n${toItem(item, "  ")}`);
  }
  const keyEnd = isScalar(pair.key) ? pair.key.range?.[1] : undefined;
  const isEmpty = pair.value === null || (isScalar(pair.value) && pair.value.source === "");
  return keyEnd === undefined || !isEmpty
    ? undefined
    : insertAt(text, lineEndFrom(text, keyEnd), toItem(item, "  "));
}

function keyOf(key: unknown): unknown {
  return isScalar(key) ? key.value : key;
}

/** The beginning of the line behind the one that `offset` is in. */
function lineEndFrom(text: string, offset: number): number {
  const lineEnd = text.indexOf("\n", offset);
  return lineEnd === -1 ? text.length : lineEnd + 1;
}

function insertAt(text: string, at: number, lines: string): string {
  const head = text.slice(0, at);
  const separator = head === "" || head.endsWith("\n") ? "" : "\n";
  return `${head}${separator}${lines}${text.slice(at)}`;
}

function toItem(item: unknown, indent: string): string {
  const [first = "", ...rest] = stringify(item, STYLE).trimEnd().split("\n");
  return [`${indent}- ${first}`, ...rest.map((line) => `${indent}  ${line}`), ""].join("\n");
}
