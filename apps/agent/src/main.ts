import { Command } from "@commander-js/extra-typings";
import { type LoadedConfig, renderConfig } from "@sluice/config";
import { EXIT, Failure, sayFailure, versionText } from "@sluice/service";
import { CommanderError } from "commander";

import { addSource } from "./add/add-source.ts";
import type { AgentSettings } from "./agent-settings.ts";
import { checkSettings } from "./check.ts";
import type { AgentConfig } from "./config.ts";
import { runDoctor } from "./doctor/doctor.ts";
import { enrollAgent } from "./enroll/enroll.ts";
import { addPreviewCommand } from "./preview/preview-command.ts";
import { runAgent } from "./run.ts";
import { addServiceCommand } from "./service/service-command.ts";
import { reportStatus } from "./status/status-report.ts";
import { type ConfigRequest, type LoadedSettings, loadSettings } from "./settings.ts";
import { uninstall } from "./uninstall/uninstall-command.ts";
import { upgradeFromCollector } from "./upgrade/upgrade-command.ts";
import { VERSION } from "./version.ts";

/** The command line of `sluice-agent`; sets the exit code, and never throws at its caller. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** What to begin with, and where things are. */
const HELP_END = `
To begin with:
  sluice-agent preview /var/log/syslog    what its records would be; sends nothing
  sluice-agent check                      is the configuration right, and what would be read
  sudo sluice-agent service install       run it as a service from now on
  sudo sluice-agent doctor                what is wrong, and the one next thing to do

Configuration: /etc/sluice/agent.yaml, flags and SLUICE_AGENT_* win over it. State: /var/lib/sluice-agent.
Exit codes: 0 well, 1 failed, 2 wrong usage, 78 wrong configuration.
`;

function program(): Command {
  const root = new Command("sluice-agent")
    .description("Ships this host's logs to a Sluice collector, every line exactly once.")
    .version(
      versionText("sluice-agent", VERSION),
      "-V, --version",
      "print version, platform, Node.js and commit",
    )
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", HELP_END);

  for (const [name, description, action] of [
    ["run", "tail the configured sources and ship them; runs in the foreground", runAgent],
    ["check", "validate the configuration and say what would be read", checkSettings],
  ] as const) {
    addConfigOptions(root.command(name).description(description)).action(async (options) =>
      action(await load(options), () => load(options)),
    );
  }

  addConfigOptions(root.command("status").description("ask the running agent how it is doing"))
    .option("--json", "print one JSON document", false)
    .action(async ({ json, ...options }) =>
      reportStatus((await load(options)).settings.stateDir, json),
    );

  addConfigOptions(
    root.command("doctor").description("look at all that shipping needs, and say what to do"),
  )
    .option("--json", "print one JSON document", false)
    .action(async ({ json, ...options }) => runDoctor(await load(options), json));

  addConfigOptions(
    root
      .command("add")
      .description("add files to the configuration, and have them read from now on"),
  )
    .argument("<path...>", "files, or globs in quotes")
    .option("--start <where>", "where to begin in files that exist: end, beginning or 24h")
    .action((paths, { start, ...options }) => addSource(toRequest(options), paths, start));

  addEnroll(root);

  addPreviewCommand(root);
  addServiceCommand(root);

  addConfigOptions(
    root
      .command("upgrade")
      .description("put the collector's build in this program's place; back, where it is not well"),
  )
    .option(
      "--ca-file <file>",
      "the authority to trust in place of the configured tls.ca_file, PEM",
    )
    .action(async ({ caFile, ...options }) =>
      upgradeFromCollector((await load(options)).settings, caFile),
    );

  addConfigOptions(
    root.command("uninstall").description("remove the service and this program from the host"),
  )
    .option("--purge", "also what it keeps: configuration, token, state, user", false)
    .action(async ({ purge, ...options }) =>
      // A configuration that is wrong, or gone, does not keep the agent on the host.
      uninstall({ purge, stateDir: await load(options).then(stateDirOf, () => options.stateDir) }),
    );

  const config = root.command("config").description("look at the configuration").exitOverride();
  addConfigOptions(
    config.command("show").description("print the effective values and where each came from"),
  ).action(async (options) => {
    const { config: loaded, settings } = await load(options);
    process.stdout.write(renderConfig(withMachineDefaults(loaded, settings)));
  });
  return root;
}

/** The token has no flag: every user of the host can read the command line of a process. */
function addEnroll(root: Command): void {
  addConfigOptions(
    root
      .command("enroll")
      .description("exchange an enrolment token, given on stdin, for a key of this agent's own"),
  )
    .option("--ca <file>", "the collector's authority, as --tls-ca-file")
    .option(
      "--fingerprint <sha256>",
      "fingerprint of the collector's authority, in place of the file",
    )
    .option("--enroll-token-file <file>", "file that holds the enrolment token (default: stdin)")
    .action(async ({ ca, fingerprint, enrollTokenFile, ...options }) => {
      const tlsCaFile = ca ?? options.tlsCaFile;
      const { settings } = await load({ ...options, tlsCaFile });
      const named = process.env["SLUICE_AGENT_ENROLL_TOKEN_FILE"];
      await enrollAgent(settings, {
        fingerprint,
        enrollTokenFile: enrollTokenFile ?? (named === "" ? undefined : named),
      });
    });
}

/** Every scalar of the configuration has a flag. */
function addConfigOptions(command: Command): Command<[], ConfigFlags> {
  return command
    .option("--config <file>", "configuration file (default: /etc/sluice/agent.yaml)")
    .option("--collector <url>", "collector to ship to")
    .option("--token-file <file>", "file that holds this agent's key")
    .option("--tls-ca-file <file>", "authority that the collector's certificate must be signed by")
    .option("--tls-cert-file <file>", "client certificate to show")
    .option("--tls-key-file <file>", "the client certificate's private key")
    .option("--state-dir <dir>", "folder for the agent's own state")
    .option("--host <name>", "name of this host (default: its hostname)")
    .option("--failback <duration>", "how often to try the first collector while another serves")
    .option("--metrics-listen <address>", "serve metrics there (default: nowhere)")
    .exitOverride();
}

/** These defaults depend on the machine, so the schema has none. */
function withMachineDefaults(
  { plain, origins }: LoadedConfig<AgentConfig>,
  { stateDir, host }: AgentSettings,
): Pick<LoadedConfig<AgentConfig>, "plain" | "origins"> {
  const byDefault = { kind: "default" } as const;
  return {
    plain: { state_dir: stateDir, host, ...(plain as object) },
    origins: new Map([["state_dir", byDefault], ["host", byDefault], ...origins]),
  };
}

// A type: commander wants an index signature, which an interface has not.
type ConfigFlags = {
  readonly config?: string | undefined;
  readonly collector?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly tlsCaFile?: string | undefined;
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  readonly stateDir?: string | undefined;
  readonly host?: string | undefined;
  readonly failback?: string | undefined;
  readonly metricsListen?: string | undefined;
};

function stateDirOf({ settings }: LoadedSettings): string {
  return settings.stateDir;
}

function load(options: ConfigFlags): ReturnType<typeof loadSettings> {
  return loadSettings(toRequest(options));
}

function toRequest(options: ConfigFlags): ConfigRequest {
  return {
    file: options.config,
    env: process.env,
    flags: {
      collector: options.collector,
      "token-file": options.tokenFile,
      "tls-ca-file": options.tlsCaFile,
      "tls-cert-file": options.tlsCertFile,
      "tls-key-file": options.tlsKeyFile,
      "state-dir": options.stateDir,
      host: options.host,
      failback: options.failback,
      "metrics-listen": options.metricsListen,
    },
  };
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
