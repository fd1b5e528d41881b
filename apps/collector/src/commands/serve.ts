import type { Command } from "@commander-js/extra-typings";

import { loadSettings } from "../settings.ts";

/** `sluice serve` */
export function addServe(root: Command): void {
  root
    .command("serve")
    .description("run the collector in the foreground")
    .option("--config <file>", "configuration file (default: /etc/sluice/collector.yaml)")
    .option("--listen <address>", "address and port (default: 127.0.0.1:7514)")
    .option("--data-dir <dir>", "folder for everything that is collected")
    .option("--insecure-plaintext", "listen beyond this machine without TLS", false)
    .action(async (options) => {
      const settings = await loadSettings({
        file: options.config,
        env: process.env,
        flags: {
          ...(options.listen !== undefined && { listen: options.listen }),
          ...(options.dataDir !== undefined && { "data-dir": options.dataDir }),
        },
      });
      // Loaded here: the other commands need nothing of it, and start sooner.
      const { serve } = await import("../server/serve.ts");
      await serve(settings, { insecurePlaintext: options.insecurePlaintext });
    });
}
