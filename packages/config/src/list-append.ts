import { isDeepStrictEqual } from "node:util";
import { isMap, isSeq, parseDocument, stringify } from "yaml";
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
  const inserted = isSeq(list) ? insertBehind(text, list, item) : appendKey(text, key, list, item);
  if (
    inserted !== undefined &&
    isDeepStrictEqual(readList(inserted, key), [...(before as unknown[]), item])
  ) {
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
  const lineEnd = text[end - 1] === "\n" ? end - 1 : text.indexOf("\n", end);
  const at = lineEnd === -1 ? text.length : lineEnd + 1;
  const head = text.slice(0, at);
  return `${head}${head.endsWith("\n") ? "" : "\n"}${toItem(item, indent)}${text.slice(at)}`;
}

/** Undefined where the key is there already. */
function appendKey(text: string, key: string, value: unknown, item: unknown): string | undefined {
  if (value !== undefined) {
    return undefined;
  }
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  return `${text}${separator}${key}:\n${toItem(item, "  ")}`;
}

function toItem(item: unknown, indent: string): string {
  const [first = "", ...rest] = stringify(item, STYLE).trimEnd().split("\n");
  return [`${indent}- ${first}`, ...rest.map((line) => `${indent}  ${line}`), ""].join("\n");
}
