import type { Command } from "@commander-js/extra-typings";
import { formatProblem } from "@sluice/config";

import { loadSettings } from "../settings.ts";

/** `sluice check` */
export function addCheck(root: Command): void {
  root
    .command("check")
    .description("validate the configuration; problems are shown with line and column")
    .option("--config <file>", "configuration file (default: /etc/sluice/collector.yaml)")
    .action(async (options) => {
      const settings = await loadSettings({ file: options.config, env: process.env, flags: {} });
      for (const warning of settings.config.warnings) {
        process.stderr.write(`${formatProblem(warning)}\n`);
      }
      process.stdout.write(`${settings.file}: valid\n`);
    });
}
