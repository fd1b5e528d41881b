import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

import { eventually } from "../src/eventually.ts";
import { SecureCollector } from "../src/enrol/secure-collector.ts";
import type { DebianRoot } from "../src/install/debian-root.ts";
import { fileChanges, listFiles } from "../src/install/file-list.ts";
import { readUnit } from "../src/install/service-unit.ts";

/** "From a bare host to the first searchable line with one pasted command, in under a minute." */
const MOST_SECONDS = 60;
const ADM = 4;

/**
 * Pastes the line of `sluice enroll new` on a host without Node.js, runs the unit's command as its user, and
 * finds a line that is appended to a log of the host; pastes it again, and removes all of it. Gives what was wrong.
 *
 * @param executable the agent's, as the collector offers it
 */
export async function installByOneLine(root: DebianRoot, executable: string): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-one-line-"));
  try {
    const before = listFiles(root.path);
    const place = { wrapper: root.network, address: "127.0.0.1" };
    await using collector = await SecureCollector.start(dir, place);
    cpSync(executable, join(collector.productsDir, basename(executable)));
    const { lines, token } = await collector.enrolment();
    const startedMs = performance.now();
    const said = root.run("sh", "-c", lines.install);
    const installedMs = performance.now();
    const first = listFiles(root.path);
    root.run("sh", "-c", lines.install);
    const problems = fileChanges(first, listFiles(root.path)).map(
      (change) => `run again: ${change}`,
    );
    if (!said.includes("nothing was started"))
      problems.push(`it does not say that nothing was started: ${said}`);
    const pausedMs = performance.now() - installedMs;
    problems.push(...(await shipsALine(root, collector)));
    const seconds = (performance.now() - startedMs - pausedMs) / 1000;
    console.log(
      `        from the line to the first line found: ${seconds.toFixed(1)} s (at most ${MOST_SECONDS})`,
    );
    if (seconds > MOST_SECONDS) problems.push(`it took ${seconds.toFixed(1)} s`);
    if (collector.logText.includes(token)) problems.push("the token stands in the collector's log");
    root.run("sluice-agent", "uninstall", "--purge");
    root.run("rm", "-rf", "/var/log/app.log");
    root.run("sh", "-c", EMPTY_UNIT_FOLDERS);
    return [
      ...problems,
      ...fileChanges(before, listFiles(root.path)).map((change) => `left: ${change}`),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A system that never had a unit has no such folders. */
const EMPTY_UNIT_FOLDERS =
  "rmdir /etc/systemd/system/multi-user.target.wants /etc/systemd/system /etc/systemd 2>/dev/null || true";

async function shipsALine(root: DebianRoot, collector: SecureCollector): Promise<string[]> {
  const path = join(root.path, "var/log/app.log");
  writeFileSync(path, "");
  chmodSync(path, 0o640);
  chownSync(path, 0, ADM);
  const { user, environment, command, stateDirectory } = readUnit(root.path, "sluice-agent");
  const env = {
    ...environment,
    STATE_DIRECTORY: stateDirectory,
    CONFIGURATION_DIRECTORY: "/etc/sluice",
  };
  const agent = root.start(user, env, command);
  if (agent.stderr === null) throw new Error("the log of a service is piped");
  const log = new ServiceLog(agent.stderr);
  // What stands in a file before an agent first sees it is not shipped by default.
  await log.holds('"msg":"ready"');
  appendFileSync(path, "the first line of this host\n");
  const endMs = performance.now() + MOST_SECONDS * 1000;
  let isFound = false;
  while (!isFound && performance.now() < endMs) {
    await delay(100);
    isFound = (await collector.sluice("query", '"the first line of this host"')).code === 0;
  }
  agent.kill("SIGTERM");
  const [code] = (await once(agent, "exit")) as [number | null];
  return isFound && code === 0
    ? []
    : [`found: ${isFound}; the agent ended with ${code}: ${log.text}`];
}

class ServiceLog {
  text = "";

  constructor(stream: Readable) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => (this.text += chunk));
  }

  async holds(wanted: string): Promise<void> {
    await eventually(
      () => (this.text.includes(wanted) ? true : undefined),
      MOST_SECONDS * 1000,
      () => this.text,
    );
  }
}
