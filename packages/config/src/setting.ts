import * as z from "zod";
import { formatKeyPath } from "./key-path.ts";
import type { KeyPath } from "./key-path.ts";
import { inputKinds, isScalarKind } from "./schema-shape.ts";

/** A scalar of the configuration, which has a flag and a variable besides its place in the file. */
export interface Setting {
  readonly path: readonly string[];
  /** As in the file: `retention.max_size`. */
  readonly key: string;
  /** Without the dashes in front: `retention-max-size`. */
  readonly flag: string;
  /** `SLUICE_RETENTION_MAX_SIZE`. */
  readonly variable: string;
  readonly schema: z.ZodType;
}

/**
 * Lists the scalars of a schema in its order. What stands inside lists, or under keys that users choose, has no flag.
 * Throws a TypeError where the schema would drop unknown keys silently (use `z.strictObject`), and where two settings
 * would share a flag.
 */
export function listSettings(schema: z.ZodObject, envPrefix: string): readonly Setting[] {
  const settings: Setting[] = [];
  collect(schema, [], envPrefix, settings);
  const byFlag = new Map<string, Setting>();
  for (const setting of settings) {
    const other = byFlag.get(setting.flag);
    if (other !== undefined) {
      throw new TypeError(`${other.key} and ${setting.key} would share --${setting.flag}`);
    }
    byFlag.set(setting.flag, setting);
  }
  return settings;
}

function collect(
  schema: z.ZodObject,
  path: readonly string[],
  envPrefix: string,
  settings: Setting[],
): void {
  requireStrict(schema, path);
  for (const [key, child] of Object.entries(schema.shape)) {
    const childPath = [...path, key];
    const kinds = inputKinds(child);
    if (child instanceof z.ZodType && kinds.some(isScalarKind)) {
      settings.push(settingAt(childPath, child, envPrefix));
    }
    const mappings = kinds.filter((kind) => kind instanceof z.ZodObject);
    const [mapping] = mappings;
    if (mapping !== undefined && mappings.length === 1) {
      collect(mapping, childPath, envPrefix, settings);
    } else {
      kinds.forEach((kind) => requireStrictBelow(kind, childPath));
    }
  }
}

function settingAt(path: readonly string[], schema: z.ZodType, envPrefix: string): Setting {
  return {
    path,
    key: formatKeyPath(path),
    flag: path.join("-").replaceAll("_", "-"),
    variable: envPrefix + path.join("_").replaceAll("-", "_").toUpperCase(),
    schema,
  };
}

function requireStrict(schema: z.ZodObject, path: KeyPath): void {
  if (schema.def.catchall === undefined) {
    throw new TypeError(`the schema drops unknown keys at ${formatKeyPath(path) || "its root"}`);
  }
}

function requireStrictBelow(kind: z.ZodType, path: KeyPath): void {
  if (kind instanceof z.ZodObject) {
    requireStrict(kind, path);
    for (const [key, child] of Object.entries(kind.shape)) {
      inputKinds(child).forEach((below) => requireStrictBelow(below, [...path, key]));
    }
  } else if (kind instanceof z.ZodArray) {
    inputKinds(kind.element).forEach((below) => requireStrictBelow(below, [...path, 0]));
  } else if (kind instanceof z.ZodRecord) {
    inputKinds(kind.valueType).forEach((below) => requireStrictBelow(below, [...path, "*"]));
  }
}
