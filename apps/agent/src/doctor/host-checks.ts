import { execFile } from "node:child_process";
import { watch } from "node:fs";
import { readFile, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { formatSize } from "@sluice/quantity";

import type { SourceSettings } from "../agent-settings.ts";
import { journalName } from "../journal-source-config.ts";
import type { AgentStatus } from "../status/status-document.ts";
import { type Check, fail, ok, warn } from "./doctor-report.ts";

/** The state itself, twice while it is replaced. */
const LEAST_ROOM_BYTES = 16 * 1024 * 1024;
/** Set-aside batches take up to 64 MiB. */
const AMPLE_ROOM_BYTES = 128 * 1024 * 1024;

const run = promisify(execFile);

/** Whether an agent is running, and whether the collector takes what it ships. */
export function checkAgent(status: AgentStatus | undefined): Check {
  if (status === undefined) {
    return warn("agent", "is not running", "start it: systemctl start sluice-agent");
  }
  const { pid, connection, streams } = status;
  const held = streams.find(({ state }) => state === "held");
  if (held !== undefined) {
    const why = held.lastError?.message ?? "its batches are refused";
    return fail(
      "agent",
      `holds ${held.source}: ${why}`,
      "see the collector's log, then restart the agent",
    );
  }
  return ok("agent", `runs as process ${pid}, ${connection.state}, ${streams.length} streams`);
}

/** Whether the agent can keep its state. */
export async function checkState(stateDir: string): Promise<Check> {
  const name = "state_dir";
  const probe = join(stateDir, `.doctor-${process.pid}`);
  try {
    await writeFile(probe, "doctor\n", { mode: 0o600, flush: true });
    await rm(probe);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" && (await stat(dirname(stateDir)).catch(() => undefined)) !== undefined
      ? ok(name, `${stateDir} is not there yet: the agent makes it`)
      : fail(name, message, `make ${stateDir} a folder that the agent's user may write`);
  }
  const { bavail, bsize, ffree, files } = await statfs(stateDir);
  const freeBytes = bavail * bsize;
  const room = `${stateDir} can be written, ${formatSize(freeBytes)} free`;
  if (freeBytes < LEAST_ROOM_BYTES || (files > 0 && ffree === 0)) {
    const what = freeBytes < LEAST_ROOM_BYTES ? room : `${room}, no inode left`;
    return fail(name, what, "make room on its disk: without it new files are not read");
  }
  return freeBytes < AMPLE_ROOM_BYTES
    ? warn(name, room, "make room on its disk: batches that are set aside take up to 64 MiB")
    : ok(name, room);
}

/** Without change notices lines are found by looking, up to a second later. */
export async function checkNotices(files: number): Promise<Check> {
  const name = "inotify";
  const later = "lines of quiet files are found up to a second later without";
  const text = await readFile("/proc/sys/fs/inotify/max_user_watches", "utf8").catch(
    () => undefined,
  );
  if (text === undefined) {
    return ok(name, "is not there: files are looked at each second");
  }
  const watches = Number(text);
  if (files > watches * 0.8) {
    const advice = `allow more: sysctl fs.inotify.max_user_watches=${2 ** Math.ceil(Math.log2(files * 4))}; ${later}`;
    return warn(name, `${watches} watches for ${files} files and all else of this user`, advice);
  }
  try {
    watch("/proc/self", { persistent: false }).close();
  } catch (error) {
    const advice = `allow more: sysctl fs.inotify.max_user_instances=1024; ${later}`;
    return warn(name, `no further watch can be had: ${(error as Error).message}`, advice);
  }
  return ok(name, `${watches} watches, ${files} files`);
}

/** Little is printed, however long the newest entry is. */
const QUESTION = ["--lines=1", "--output=export", "--output-fields=_BOOT_ID", "--no-pager"];

type Journal = Pick<Extract<SourceSettings, { kind: "journald" }>, "directory">;

/** Whether the entries of a journal can be read. */
export async function checkJournal({ directory }: Journal, user: string): Promise<Check> {
  const name = journalName({ directory });
  const where = directory === undefined ? [] : [`--directory=${directory}`];
  try {
    // As the agent reads it: its words are looked for in English.
    const { stderr } = await run("journalctl", [...QUESTION, ...where], {
      timeout: 10_000,
      env: { ...process.env, LC_ALL: "C" },
    });
    return /not seeing messages from other users/i.test(stderr)
      ? fail(
          name,
          "only this user's own messages can be read",
          `let the agent into the group systemd-journal: usermod -aG systemd-journal ${user} (systemd: SupplementaryGroups=systemd-journal), then restart it`,
        )
      : ok(name, "journalctl reads the journal");
  } catch (error) {
    const { code, message, stderr = "" } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === "ENOENT") {
      return fail(name, "there is no journalctl", "install systemd, or remove the journald source");
    }
    const [said = message] = stderr.trim() === "" ? message.split("\n") : stderr.trim().split("\n");
    const advice =
      directory === undefined
        ? "run journalctl as the agent's user and see"
        : `make ${directory} a folder of journal files that ${user} may read, or correct journald.directory`;
    return fail(name, said, advice);
  }
}
