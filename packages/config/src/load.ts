import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import * as z from "zod";
import { byPlace, originOf, toProblem } from "./diagnosis.ts";
import type { Inputs } from "./diagnosis.ts";
import { describeIssue, toFindings } from "./finding.ts";
import { formatKeyPath, scalarPaths } from "./key-path.ts";
import { nearName } from "./near-name.ts";
import type { Origin } from "./origin.ts";
import { collectOverrides, withValueAt } from "./override.ts";
import type { FlagValues } from "./override.ts";
import type { ConfigProblem } from "./problem.ts";
import { fillEmptySections, inputKinds } from "./schema-shape.ts";
import { listSettings } from "./setting.ts";
import type { Setting } from "./setting.ts";
import { readYaml } from "./yaml-source.ts";

export interface LoadOptions<S extends z.ZodObject> {
  /** Mappings in it are `z.strictObject`s; what changes a value is a codec (`durationField`), so that it can be printed. */
  readonly schema: S;
  /** The file's content; undefined where there is no file. */
  readonly text: string | undefined;
  /** The file's name, as messages should show it. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `SLUICE_`, `SLUICE_AGENT_`. */
  readonly envPrefix: string;
  /** By flag name without dashes (`Setting.flag`). */
  readonly flags: FlagValues;
}

export interface LoadedConfig<T> {
  readonly value: T;
  /** The value as a file would write it, defaults included. */
  readonly plain: unknown;
  /** For every scalar of `plain`, by its printed path, where it came from. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Variables that look like misspelt settings. */
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Puts together flags, environment, file and defaults, in this order of precedence, and checks the whole. All problems
 * are given at once, in the file's order. A wrong value in the file goes unseen where a flag or variable replaces it.
 * Throws a TypeError for a schema that `listSettings` refuses and for flags that it does not know.
 */
export function loadConfig<S extends z.ZodObject>(
  options: LoadOptions<S>,
): Result<LoadedConfig<z.output<S>>, ConfigProblem[]> {
  const { schema, text, file, env, envPrefix, flags } = options;
  const settings = listSettings(schema, envPrefix);
  const overrides = collectOverrides(settings, flags, env);
  const source = text === undefined ? undefined : readYaml(text, file);
  if (source?.ok === false) {
    return source;
  }
  const fromFile = fillEmptySections(source?.value.value ?? {}, inputKinds(schema));
  const merged = overrides.reduce<unknown>(
    (root, { setting, value }) => withValueAt(root, setting.path, value),
    fromFile,
  );
  const inputs: Inputs = { schema, settings, overrides, source: source?.value, merged };
  const checked = schema.safeParse(merged, { error: describeIssue });
  if (!checked.success) {
    const problems = toFindings(checked.error.issues).map((finding) => toProblem(finding, inputs));
    return err(problems.sort(byPlace));
  }
  const plain: unknown = z.encode(schema, checked.data);
  return ok({
    value: checked.data,
    plain,
    origins: new Map(
      scalarPaths(plain).map((path) => [formatKeyPath(path), originOf(path, inputs)]),
    ),
    warnings: misspeltVariables(settings, env, envPrefix),
  });
}

function misspeltVariables(
  settings: readonly Setting[],
  env: LoadOptions<z.ZodObject>["env"],
  envPrefix: string,
): readonly ConfigProblem[] {
  const known = new Set(settings.map(({ variable }) => variable.slice(envPrefix.length)));
  return Object.keys(env).flatMap((variable): ConfigProblem[] => {
    const name = variable.slice(envPrefix.length);
    const near = variable.startsWith(envPrefix) && !known.has(name) && nearName(name, known);
    return typeof near === "string"
      ? [
          {
            origin: { kind: "environment", variable },
            path: [],
            message: "no setting has this name",
            hint: `did you mean ${envPrefix}${near}?`,
          },
        ]
      : [];
  });
}
