import type { Command } from "@commander-js/extra-typings";
import { renderConfig } from "@sluice/config";

import { loadSettings } from "../settings.ts";

/** `sluice config` */
export function addConfig(root: Command): void {
  root
    .command("config")
    .description("look at the configuration")
    .command("show")
    .description("print the effective values and where each came from")
    .option("--config <file>", "configuration file (default: /etc/sluice/collector.yaml)")
    .action(async (options) => {
      const { config } = await loadSettings({ file: options.config, env: process.env, flags: {} });
      process.stdout.write(renderConfig(config));
    });
}
