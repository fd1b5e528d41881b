import * as z from "zod";
import type { KeyPath } from "./key-path.ts";

/**
 * The kinds of value that a schema takes in a file, with defaults, optionality and codecs peeled off and unions spread:
 * `z.union([a, b]).optional()` gives a and b.
 */
export function inputKinds(schema: unknown): readonly z.ZodType[] {
  if (schema instanceof z.ZodUnion) {
    return schema.options.flatMap(inputKinds);
  }
  if (schema instanceof z.ZodPipe) {
    return inputKinds(schema.in);
  }
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNonOptional ||
    schema instanceof z.ZodReadonly
  ) {
    return inputKinds(schema.unwrap());
  }
  return schema instanceof z.ZodType ? [schema] : [];
}

/** The kinds of value that may stand at a path, over all branches of the unions on the way. */
export function inputKindsAt(schema: z.ZodType, path: KeyPath): readonly z.ZodType[] {
  let kinds = inputKinds(schema);
  for (const step of path) {
    kinds = kinds.flatMap((kind) => inputKinds(childSchema(kind, step)));
  }
  return kinds;
}

/** Whether a value of this kind is written as one word: it can then be given by a flag or a variable. */
export function isScalarKind(kind: z.ZodType): boolean {
  return !(
    kind instanceof z.ZodObject ||
    kind instanceof z.ZodRecord ||
    kind instanceof z.ZodArray ||
    kind instanceof z.ZodTuple
  );
}

/** The keys that the mappings among these kinds declare. */
export function declaredKeys(kinds: readonly z.ZodType[]): readonly string[] {
  const keys = kinds.flatMap((kind) =>
    kind instanceof z.ZodObject ? Object.keys(kind.shape) : [],
  );
  return [...new Set(keys)];
}

/**
 * Makes what is written as an empty section (`retention:` with nothing below it, as when all its lines are commented
 * out) the empty mapping or list that it stands for. Other empty values stay null.
 */
export function fillEmptySections(value: unknown, kinds: readonly z.ZodType[]): unknown {
  if (value === null) {
    if (kinds.some((kind) => kind instanceof z.ZodObject || kind instanceof z.ZodRecord)) {
      return {};
    }
    return kinds.some((kind) => kind instanceof z.ZodArray) ? [] : null;
  }
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => fillEmptySections(item, childKinds(kinds, index)));
  }
  if (typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        fillEmptySections(item, childKinds(kinds, key)),
      ]),
    );
  }
  return value;
}

function childKinds(kinds: readonly z.ZodType[], step: string | number): readonly z.ZodType[] {
  return kinds.flatMap((kind) => inputKinds(childSchema(kind, step)));
}

function childSchema(kind: z.ZodType, step: string | number): unknown {
  if (kind instanceof z.ZodObject) {
    return Object.hasOwn(kind.shape, step) ? kind.shape[step] : kind.def.catchall;
  }
  if (kind instanceof z.ZodArray) {
    return kind.element;
  }
  return kind instanceof z.ZodRecord ? kind.valueType : undefined;
}
