import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { YAMLError } from "yaml";
import type { KeyPath } from "./key-path.ts";
import type { Origin } from "./origin.ts";
import type { ConfigProblem } from "./problem.ts";

type FileOrigin = Extract<Origin, { kind: "file" }>;

/** What a YAML text says, and where it says it. */
export interface YamlSource {
  /** Plain mappings, lists and scalars; an empty text is an empty mapping. */
  readonly value: unknown;
  /** Where a value begins; undefined where the text has none at this path. */
  readonly valueOrigin: (path: KeyPath) => FileOrigin | undefined;
  /** Where the key of a mapping's entry stands. */
  readonly keyOrigin: (path: KeyPath) => FileOrigin | undefined;
}

interface Entry {
  readonly keyOffset: number | undefined;
  readonly valueOffset: number;
}

/** Plainer words for the faults that hands make most. Others are told as the `yaml` library tells them. */
const MESSAGES: Partial<Record<YAMLError["code"], string>> = {
  DUPLICATE_KEY: "this key is already given above",
  MULTIPLE_DOCS: "only one document is allowed; remove this ---",
  TAB_AS_INDENT: "tabs are not allowed as indentation; use spaces",
  BLOCK_AS_IMPLICIT_KEY:
    'expected one value here; check the indentation, and quote a text that holds ": "',
};

/**
 * Reads one YAML 1.2 document. Faults of syntax, duplicate keys, tags and aliases are problems: an alias would hide
 * where a value stands, and lets a small text grow without bounds.
 */
export function readYaml(text: string, file: string): Result<YamlSource, ConfigProblem[]> {
  const lines = new LineCounter();
  const originAt = (offset: number): FileOrigin => {
    const { line, col } = lines.linePos(offset);
    return { kind: "file", file, line, column: col };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return err(
      faults.map((fault) => ({
        origin: originAt(fault.pos[0]),
        path: [],
        message: MESSAGES[fault.code] ?? lowerFirst(fault.message),
      })),
    );
  }
  const reader = new NodeReader(originAt);
  const value = reader.read(document.contents, [], undefined);
  if (reader.problems.length > 0) {
    return err(reader.problems);
  }
  const { entries } = reader;
  return ok({
    value: document.contents === null ? {} : value,
    valueOrigin: (path) => {
      const entry = entries.get(entryId(path));
      return entry === undefined ? undefined : originAt(entry.valueOffset);
    },
    keyOrigin: (path) => {
      const offset = entries.get(entryId(path))?.keyOffset;
      return offset === undefined ? undefined : originAt(offset);
    },
  });
}

class NodeReader {
  readonly entries: Map<string, Entry> = new Map();
  readonly problems: ConfigProblem[] = [];
  readonly #originAt: (offset: number) => FileOrigin;

  constructor(originAt: (offset: number) => FileOrigin) {
    this.#originAt = originAt;
  }

  read(node: unknown, path: KeyPath, keyOffset: number | undefined): unknown {
    const valueOffset = offsetOf(node) ?? keyOffset ?? 0;
    this.entries.set(entryId(path), { keyOffset, valueOffset });
    if (isMap(node)) {
      return Object.fromEntries(
        node.items.map(({ key, value }) => {
          const name = this.#readKey(key, path);
          return [name, this.read(value, [...path, name], offsetOf(key))];
        }),
      );
    }
    if (isSeq(node)) {
      return node.items.map((item, index) => this.read(item, [...path, index], undefined));
    }
    if (isAlias(node)) {
      this.#refuse(valueOffset, path, "aliases are not supported; write the value out");
      return null;
    }
    return isScalar(node) ? node.value : null;
  }

  #readKey(key: unknown, path: KeyPath): string {
    const name = isScalar(key) ? key.value : undefined;
    if (typeof name === "string" || typeof name === "number" || typeof name === "boolean") {
      return String(name);
    }
    this.#refuse(offsetOf(key) ?? 0, path, "a key must be one word or a quoted text");
    return "";
  }

  #refuse(offset: number, path: KeyPath, message: string): void {
    this.problems.push({ origin: this.#originAt(offset), path, message });
  }
}

function offsetOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)
    ? node.range?.[0]
    : undefined;
}

function entryId(path: KeyPath): string {
  return JSON.stringify(path);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
