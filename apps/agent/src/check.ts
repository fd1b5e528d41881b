import { formatProblem } from "@sluice/config";

import type { LoadedSettings } from "./settings.ts";

/** `sluice-agent check`: the configuration is valid; says what it amounts to. */
export async function checkSettings({ config, file, settings }: LoadedSettings): Promise<void> {
  for (const warning of config.warnings) {
    process.stderr.write(`${formatProblem(warning)}\n`);
  }
  await settings.token();
  const globs = settings.sources.flatMap(({ include }) => include);
  process.stdout.write(
    [
      `${file}: valid`,
      `collector  ${settings.collectors.join(", then ")}`,
      `host       ${settings.host}`,
      `state      ${settings.stateDir}`,
      `sources    ${globs.length === 0 ? "none: add some under `sources`" : globs.join(", ")}`,
      "",
    ].join("\n"),
  );
}
