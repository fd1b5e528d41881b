import type { Command } from "@commander-js/extra-typings";

import { addConfigOptions, loadConfigOptions } from "./config-options.ts";

/** `sluice serve` */
export function addServe(root: Command): void {
  addConfigOptions(root.command("serve").description("run the collector in the foreground"))
    .option("--insecure-plaintext", "listen beyond this machine without TLS", false)
    .action(async (options) => {
      const settings = await loadConfigOptions(options);
      // Loaded here: the other commands need nothing of it, and start sooner.
      const { serve } = await import("../server/serve.ts");
      await serve(settings, { insecurePlaintext: options.insecurePlaintext });
    });
}
