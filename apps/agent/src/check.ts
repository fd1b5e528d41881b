import { formatProblem } from "@sluice/config";
import { escapeLines } from "@sluice/service";

import type { SourceSettings } from "./agent-settings.ts";
import { journalName } from "./journal-source-config.ts";
import type { LoadedSettings } from "./settings.ts";

/** `sluice-agent check`: the configuration is valid; says what it amounts to. */
export async function checkSettings({ config, file, settings }: LoadedSettings): Promise<void> {
  for (const warning of config.warnings) {
    process.stderr.write(`${formatProblem(warning)}\n`);
  }
  await settings.token();
  await settings.tls();
  const names = settings.sources.flatMap(sourceNames);
  const text = [
    `${file}: valid`,
    `collector  ${settings.collectors.join(", then ")}`,
    `host       ${settings.host}`,
    `state      ${settings.stateDir}`,
    `sources    ${names.length === 0 ? "none: add some under `sources`" : names.join(", ")}`,
    "",
  ].join("\n");
  process.stdout.write(process.stdout.isTTY ? escapeLines(text) : text);
}

function sourceNames(source: SourceSettings): readonly string[] {
  switch (source.kind) {
    case "file":
      return source.include;
    case "journald":
      return [journalName(source)];
    default:
      return source satisfies never;
  }
}
