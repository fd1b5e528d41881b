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
      const settings = await loadSettings({ file: options.config, env: process.env, flags: {} });
      const { plain, origins, value } = settings.config;
      process.stdout.write(
        renderConfig({
          // Its default depends on the machine, so the schema has none.
          plain: { listen: value.listen, data_dir: settings.dataDir, ...(plain as object) },
          origins: new Map([["data_dir", { kind: "default" }], ...origins]),
        }),
      );
    });
}
