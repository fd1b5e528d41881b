import type { Command } from "@commander-js/extra-typings";
import { formatProblem } from "@sluice/config";

import { addConfigOptions, loadConfigOptions } from "./config-options.ts";

/** `sluice check` */
export function addCheck(root: Command): void {
  addConfigOptions(
    root
      .command("check")
      .description("validate the configuration; problems are shown with line and column"),
  ).action(async (options) => {
    const settings = await loadConfigOptions(options);
    for (const warning of settings.config.warnings) {
      process.stderr.write(`${formatProblem(warning)}\n`);
    }
    process.stdout.write(`${settings.file}: valid\n`);
  });
}
