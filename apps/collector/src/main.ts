import { Command } from "@commander-js/extra-typings";
import { EXIT, Failure } from "@sluice/config";
import { StoreError } from "@sluice/store";
import { CommanderError } from "commander";

import { serve } from "./serve.ts";
import { loadSettings } from "./settings.ts";
import { VERSION } from "./version.ts";

/** The command line of `sluice`; sets the exit code, and never throws at its caller. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function program(): Command {
  const root = new Command("sluice")
    .description("Collects logs from agents, keeps them in SQLite, and finds any line again.")
    .version(VERSION)
    .exitOverride();
  root
    .command("serve")
    .description("run the collector in the foreground")
    .option("--config <file>", "configuration file (default: /etc/sluice/collector.yaml)")
    .option("--listen <address>", "address and port (default: 127.0.0.1:7514)")
    .option("--data-dir <dir>", "folder for everything that is collected")
    .option("--insecure-plaintext", "listen beyond this machine without TLS", false)
    .exitOverride()
    .action(async (options) => {
      const settings = await loadSettings({
        file: options.config,
        env: process.env,
        flags: {
          ...(options.listen !== undefined && { listen: options.listen }),
          ...(options.dataDir !== undefined && { "data-dir": options.dataDir }),
        },
      });
      await serve(settings, { insecurePlaintext: options.insecurePlaintext });
    });
  return root;
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // commander has said it already
  }
  if (error instanceof Failure || error instanceof StoreError) {
    process.stderr.write(`sluice: ${error.message}\n  ${error.advice}\n`);
    return error instanceof Failure ? error.exitCode : EXIT.failed;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`sluice: unexpected failure, please report it\n${detail}\n`);
  return EXIT.failed;
}
