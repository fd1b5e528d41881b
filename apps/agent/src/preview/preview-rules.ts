import { resolve } from "node:path";
import { EXIT, Failure } from "@sluice/service";
import { coversPath } from "@sluice/tail";
import * as z from "zod";

import type { ProcessingSettings } from "../agent-settings.ts";
import {
  FRAMING_FIELDS,
  PROCESSING_FIELDS,
  toProcessing,
} from "../processing/processing-config.ts";
import { loadSettings } from "../settings.ts";

/** The rules that a command line can write; the rest needs a configuration. */
export interface RuleFlags {
  readonly multiline?: string | undefined;
  readonly parse?: string | undefined;
  readonly redact?: readonly string[] | undefined;
  readonly includeLines?: readonly string[] | undefined;
  readonly excludeLines?: readonly string[] | undefined;
}

export interface PreviewRules {
  readonly processing: ProcessingSettings | undefined;
  /** As the configuration declares it; undefined where a byte order mark decides. */
  readonly encoding: string | undefined;
}

const RULES = z.strictObject({ ...FRAMING_FIELDS, ...PROCESSING_FIELDS });

/** @throws Failure with exit code 2 that says which flag is wrong */
export function rulesFromFlags(flags: RuleFlags): PreviewRules {
  const checked = RULES.safeParse({
    multiline: flags.multiline,
    parse: flags.parse,
    redact: flags.redact,
    include_lines: flags.includeLines,
    exclude_lines: flags.excludeLines,
  });
  if (checked.success) {
    return { processing: toProcessing(checked.data), encoding: undefined };
  }
  const wrong = checked.error.issues.map(({ path, message }) => {
    const [key = ""] = path;
    return `--${String(key).replaceAll("_", "-")}: ${message}`;
  });
  throw new Failure(
    wrong.join("\n"),
    "see `sluice-agent preview --help`; rules of your own go into a configuration, and --config",
    EXIT.usage,
  );
}

/**
 * The rules of the source that would read this file.
 *
 * @throws Failure where the configuration is wrong or none of its sources covers the file
 */
export async function rulesFromConfig(
  config: string,
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PreviewRules> {
  const { settings } = await loadSettings({ file: config, flags: {}, env });
  const absolute = resolve(path);
  const owner = settings.sources
    .filter((source) => source.kind === "file")
    .find(({ include, exclude }) => coversPath(include, exclude, absolute));
  if (owner === undefined) {
    throw new Failure(
      `${config}: no source covers ${absolute}`,
      "add the file under `sources`, or give the rules as flags instead of --config",
    );
  }
  const { processing, encoding } = owner;
  return { processing, encoding };
}
