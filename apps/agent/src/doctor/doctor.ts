import { EXIT, formatJson, wantsColor } from "@sluice/service";

import type { LoadedSettings } from "../settings.ts";
import { askStatus } from "../status/status-socket.ts";
import { becomeAgentUser } from "./agent-user.ts";
import { checkCollector } from "./collector-checks.ts";
import { checkKeyFile } from "./key-checks.ts";
import { type Check, conclude, type DoctorReport, formatDoctor, warn } from "./doctor-report.ts";
import { checkFiles } from "./file-checks.ts";
import { checkAgent, checkJournal, checkNotices, checkState } from "./host-checks.ts";

/** `sluice-agent doctor`: looks at all that shipping needs; exit code 1 where something is in the way. */
export async function runDoctor(loaded: LoadedSettings, isJson: boolean): Promise<void> {
  const report = await examine(loaded);
  const hasColor = wantsColor({
    flag: undefined,
    env: process.env,
    isTerminal: process.stdout.isTTY,
  });
  process.stdout.write(
    isJson ? formatJson(report, process.stdout.isTTY) : formatDoctor(report, hasColor),
  );
  if (report.verdict === "fail") {
    process.exitCode = EXIT.failed;
  }
}

async function examine({ settings, file }: LoadedSettings): Promise<DoctorReport> {
  const { stateDir, collectors, host } = settings;
  // Asked before the user changes: root may ask any agent.
  const { agent, pid } = await examineAgent(stateDir);
  const user = await becomeAgentUser(stateDir, pid);
  const files = await checkFiles(settings, user);
  const journals = settings.sources.filter((source) => source.kind === "journald");
  const reached = await Promise.all(collectors.map((each) => checkCollector(each, settings)));
  const checks: Check[] = [
    agent,
    await checkState(stateDir),
    ...(await checkKeyFile(settings.tokenFile)),
    ...reached.flat(),
    ...(settings.sources.length === 0
      ? [warn("sources", "none are configured", "add one: sluice-agent add PATH")]
      : files.checks),
    ...(await Promise.all(journals.map((journal) => checkJournal(journal, user)))),
    await checkNotices(files.files),
  ];
  return { host, configFile: file, user, checks, ...conclude(checks) };
}

async function examineAgent(stateDir: string): Promise<{
  readonly agent: Check;
  readonly pid: number | undefined;
}> {
  try {
    const status = await askStatus(stateDir);
    return { agent: checkAgent(status), pid: status?.pid };
  } catch (error) {
    const { message } = error as Error;
    return { agent: warn("agent", message, "ask as the agent's user or as root"), pid: undefined };
  }
}
