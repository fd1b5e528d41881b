import { Command } from "@commander-js/extra-typings";
import { renderConfig } from "@sluice/config";
import { EXIT, Failure, sayFailure } from "@sluice/service";
import { CommanderError } from "commander";

import { checkSettings } from "./check.ts";
import { runAgent } from "./run.ts";
import { loadSettings } from "./settings.ts";
import { VERSION } from "./version.ts";

/** The command line of `sluice-agent`; sets the exit code, and never throws at its caller. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function program(): Command {
  const root = new Command("sluice-agent")
    .description("Ships this host's logs to a Sluice collector, every line exactly once.")
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });

  for (const [name, description, action] of [
    ["run", "tail the configured sources and ship them; runs in the foreground", runAgent],
    ["check", "validate the configuration and say what would be read", checkSettings],
  ] as const) {
    root
      .command(name)
      .description(description)
      .option("--config <file>", "configuration file (default: /etc/sluice/agent.yaml)")
      .option("--collector <url>", "collector to ship to")
      .option("--token-file <file>", "file that holds the ingest token")
      .option("--state-dir <dir>", "folder for the agent's own state")
      .option("--host <name>", "name of this host (default: its hostname)")
      .exitOverride()
      .action(async (options) => action(await load(options)));
  }

  const config = root.command("config").description("look at the configuration").exitOverride();
  config
    .command("show")
    .description("print the effective values and where each came from")
    .option("--config <file>", "configuration file (default: /etc/sluice/agent.yaml)")
    .exitOverride()
    .action(async (options) => {
      const { config: loaded } = await load(options);
      process.stdout.write(renderConfig(loaded));
    });
  return root;
}

interface ConfigFlags {
  readonly config?: string | undefined;
  readonly collector?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly stateDir?: string | undefined;
  readonly host?: string | undefined;
}

function load(options: ConfigFlags): ReturnType<typeof loadSettings> {
  return loadSettings({
    file: options.config,
    env: process.env,
    flags: {
      ...(options.collector !== undefined && { collector: options.collector }),
      ...(options.tokenFile !== undefined && { "token-file": options.tokenFile }),
      ...(options.stateDir !== undefined && { "state-dir": options.stateDir }),
      ...(options.host !== undefined && { host: options.host }),
    },
  });
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // commander has said it already
  }
  if (error instanceof Failure) {
    sayFailure("sluice-agent", `${error.message}\n  ${error.advice}`);
    return error.exitCode;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  sayFailure("sluice-agent", `unexpected failure, please report it\n${detail}`);
  return EXIT.failed;
}
