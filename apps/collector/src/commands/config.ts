import type { Command } from "@commander-js/extra-typings";
import { renderConfig } from "@sluice/config";

import { addConfigOptions, loadConfigOptions } from "./config-options.ts";

/** `sluice config` */
export function addConfig(root: Command): void {
  const config = root.command("config").description("look at the configuration");
  addConfigOptions(
    config.command("show").description("print the effective values and where each came from"),
  ).action(async (options) => {
    const settings = await loadConfigOptions(options);
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
