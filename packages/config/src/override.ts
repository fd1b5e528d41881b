import type * as z from "zod";
import type { KeyPath } from "./key-path.ts";
import type { Origin } from "./origin.ts";
import type { Setting } from "./setting.ts";

/** A value by flag name, as the command line gave it; undefined where it did not. */
export type FlagValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** A setting that the command line or the environment gives. */
export interface Override {
  readonly setting: Setting;
  readonly value: string | number | boolean;
  readonly origin: Origin;
}

const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i;

/**
 * Collects what wins over the file: flags, then variables. An empty variable counts as unset, as service managers and
 * shells leave those behind. Throws a TypeError for a flag that no setting has.
 */
export function collectOverrides(
  settings: readonly Setting[],
  flags: FlagValues,
  env: Readonly<Record<string, string | undefined>>,
): readonly Override[] {
  const known = new Set(settings.map(({ flag }) => flag));
  const stranger = Object.keys(flags).find((flag) => !known.has(flag));
  if (stranger !== undefined) {
    throw new TypeError(`no setting has the flag --${stranger}`);
  }
  return settings.flatMap((setting): Override[] => {
    const flagValue = flags[setting.flag];
    if (flagValue !== undefined) {
      const origin: Origin = { kind: "flag", flag: setting.flag };
      return [{ setting, value: readScalar(flagValue, setting.schema), origin }];
    }
    const text = env[setting.variable];
    if (text === undefined || text === "") {
      return [];
    }
    const origin: Origin = { kind: "environment", variable: setting.variable };
    return [{ setting, value: readScalar(text, setting.schema), origin }];
  });
}

/**
 * Puts a value at a path, adding the mappings that lead there. Where something else than a mapping is in the way, the
 * value is left out: validation will complain about what is there.
 */
export function withValueAt(root: unknown, path: KeyPath, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) {
    return value;
  }
  if (typeof root !== "object" || root === null || Array.isArray(root)) {
    return root;
  }
  const child: unknown = Object.hasOwn(root, step) ? Reflect.get(root, step) : {};
  return { ...root, [step]: withValueAt(child, rest, value) };
}

/** A shell knows only texts: one that the schema does not take as such is read as a number or a truth value. */
function readScalar(
  value: string | number | boolean,
  schema: z.ZodType,
): string | number | boolean {
  if (typeof value !== "string" || schema.safeParse(value).success) {
    return value;
  }
  if (value === "true" || value === "false") {
    return value === "true";
  }
  return NUMBER.test(value) ? Number(value) : value;
}
