import { Command } from "@commander-js/extra-typings";

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
import { addStats } from "./commands/stats.ts";
import { addTail } from "./commands/tail.ts";
import { addTokens } from "./commands/tokens.ts";
import { report } from "./report.ts";
import { VERSION } from "./version.ts";

/** One function a command: each adds itself, its options and its action, in the order `--help` lists them. */
const COMMANDS: readonly ((root: Command) => void)[] = [
  addInit,
  addServe,
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

function program(): Command {
  const root = new Command("sluice")
    .description("Collects logs from agents, keeps them in SQLite, and finds any line again.")
    .version(VERSION)
    .exitOverride(); // handed on to each command
  for (const add of COMMANDS) {
    add(root);
  }
  return root;
}
