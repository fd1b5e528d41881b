import type * as z from "zod";
import type { Finding } from "./finding.ts";
import { formatKeyPath } from "./key-path.ts";
import type { KeyPath } from "./key-path.ts";
import { nearName } from "./near-name.ts";
import type { Origin } from "./origin.ts";
import type { Override } from "./override.ts";
import type { ConfigProblem } from "./problem.ts";
import { declaredKeys, inputKindsAt } from "./schema-shape.ts";
import type { Setting } from "./setting.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What a value was put together from. */
export interface Inputs {
  readonly schema: z.ZodObject;
  readonly settings: readonly Setting[];
  readonly overrides: readonly Override[];
  readonly source: YamlSource | undefined;
  readonly merged: unknown;
}

/** Says where a fault was made and what to do about it. */
export function toProblem(finding: Finding, inputs: Inputs): ConfigProblem {
  const { path, message, kind } = finding;
  if (kind === "unknown-key") {
    const origin = inputs.source?.keyOrigin(path) ?? { kind: "default" };
    return { origin, path, message, hint: unknownKeyHint(path, inputs) };
  }
  const found = valueAt(inputs.merged, path);
  if (found === undefined && path.length > 0) {
    const origin = enclosingOrigin(path, inputs);
    // A condition on a value that nobody gave speaks of its default, or of what other values ask for.
    return kind === "rule"
      ? { origin, path, message }
      : { origin, path, message: `missing; ${message}`, ...hintOf(settingHint(path, inputs)) };
  }
  const origin = originOf(path, inputs);
  return {
    origin,
    path,
    message,
    ...hintOf(origin.kind === "file" ? scalarHint(found, message) : undefined),
  };
}

function hintOf(hint: string | undefined): Pick<ConfigProblem, "hint"> {
  return hint === undefined ? {} : { hint };
}

function unknownKeyHint(path: KeyPath, { schema, settings }: Inputs): string {
  const key = String(path.at(-1));
  const known = declaredKeys(inputKindsAt(schema, path.slice(0, -1)));
  if (known.includes(key)) {
    return "not beside the other keys here"; // Of one branch of a union, where another is meant.
  }
  const near = nearName(key, known);
  if (near !== undefined) {
    return `did you mean ${near}?`;
  }
  const elsewhere = settings.find((setting) => setting.path.at(-1) === key);
  if (elsewhere !== undefined) {
    return `did you mean ${elsewhere.key}?`;
  }
  return known.length === 0 ? "nothing may stand here" : `known here: ${known.join(", ")}`;
}

function settingHint(path: KeyPath, { settings }: Inputs): string | undefined {
  const key = formatKeyPath(path);
  const setting = settings.find((candidate) => candidate.key === key);
  return setting && `set it in the file, with --${setting.flag} or with ${setting.variable}`;
}

function scalarHint(found: unknown, message: string): string | undefined {
  if (found === null) {
    return "the value is empty; remove the key to have the default";
  }
  const isWord = typeof found === "number" || typeof found === "boolean";
  return isWord && message.includes("a text") ? "put quotes around it" : undefined;
}

/** Where the value at a path comes from. */
export function originOf(path: KeyPath, { overrides, source }: Inputs): Origin {
  const key = formatKeyPath(path);
  const override = overrides.find(({ setting }) => setting.key === key);
  return override?.origin ?? source?.valueOrigin(path) ?? { kind: "default" };
}

/** Something missing is reported where it should stand: at the nearest mapping around it that the file has. */
function enclosingOrigin(path: KeyPath, { source }: Inputs): Origin {
  for (let length = path.length - 1; length >= 0; length -= 1) {
    const around = path.slice(0, length);
    const origin = source?.keyOrigin(around) ?? source?.valueOrigin(around);
    if (origin !== undefined) {
      return origin;
    }
  }
  return { kind: "default" };
}

function valueAt(root: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, step)
        ? Reflect.get(value, step)
        : undefined,
    root,
  );
}

/** Sorts problems as a reader of the file meets them; those of flags and variables go first. */
export function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  const [lineA, columnA] = placeOf(a.origin);
  const [lineB, columnB] = placeOf(b.origin);
  return lineA - lineB || columnA - columnB;
}

function placeOf(origin: Origin): readonly [line: number, column: number] {
  return origin.kind === "file" ? [origin.line, origin.column] : [0, 0];
}
