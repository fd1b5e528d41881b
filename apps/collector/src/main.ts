import { Command } from "@commander-js/extra-typings";
import { versionText } from "@sluice/service";

import { addAgents } from "./commands/agents.ts";
import { addBackup } from "./commands/backup.ts";
import { addCheck } from "./commands/check.ts";
import { addCompact } from "./commands/compact.ts";
import { addConfig } from "./commands/config.ts";
import { addDelete } from "./commands/delete.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEnroll } from "./commands/enroll.ts";
import { addGaps } from "./commands/gaps.ts";
import { addInit } from "./commands/init.ts";
import { addJobs } from "./commands/jobs.ts";
import { addPrune } from "./commands/prune.ts";
import { addQuery } from "./commands/query.ts";
import { addRestore } from "./commands/restore.ts";
import { addRetention } from "./commands/retention.ts";
import { addServe } from "./commands/serve.ts";
import { addService } from "./commands/service.ts";
import { addStats } from "./commands/stats.ts";
import { addTail } from "./commands/tail.ts";
import { addTokens } from "./commands/tokens.ts";
import { report } from "./report.ts";
import { VERSION } from "./version.ts";

/** One function a command: each adds itself, its options and its action, in the order `--help` lists them. */
const COMMANDS: readonly ((root: Command) => void)[] = [
  addInit,
  addServe,
  addService,
  addEnroll,
  addTokens,
  addQuery,
  addTail,
  addAgents,
  addGaps,
  addStats,
  addJobs,
  addRetention,
  addPrune,
  addDelete,
  addCompact,
  addBackup,
  addRestore,
  addDoctor,
  addCheck,
  addConfig,
];

/** The command line of `sluice`; sets the exit code, and never throws at its caller. */
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
  sluice query error --since 1h           every line with this word, of all hosts
  sluice tail 'level:>=warn'              what arrives from now on
  sluice agents                           who ships, and how far behind it is
  sudo sluice service install             run the collector as a service from now on
  sluice doctor                           what is wrong, and what can be done

Configuration: /etc/sluice/collector.yaml, flags and SLUICE_* win over it. Data: /var/lib/sluice.
Exit codes: 0 well, 1 failed (query: nothing found), 2 wrong usage (query: failed), 78 wrong configuration.
`;

function program(): Command {
  const root = new Command("sluice")
    .description("Collects logs from agents, keeps them in SQLite, and finds any line again.")
    .version(
      versionText("sluice", VERSION),
      "-V, --version",
      "print version, platform, Node.js and commit",
    )
    .exitOverride() // handed on to each command
    .addHelpText("after", HELP_END);
  for (const add of COMMANDS) {
    add(root);
  }
  return root;
}
