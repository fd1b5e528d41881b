import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { matchFiles } from "@sluice/tail";

import type { AgentSettings } from "../agent-settings.ts";
import { nameOf } from "./agent-user.ts";
import { type Check, fail, ok, warn } from "./doctor-report.ts";

const GROUP_READ = 0o040;

export interface FileChecks {
  readonly checks: readonly Check[];
  /** Files that match a source. */
  readonly files: number;
}

/** Of each source of files: whether its globs match anything, and whether that can be read. */
export async function checkFiles(settings: AgentSettings, user: string): Promise<FileChecks> {
  const checks: Check[] = [];
  let files = 0;
  for (const source of settings.sources) {
    if (source.kind === "file") {
      const { include, exclude } = source;
      for (const glob of include) {
        const { check, count } = await checkGlob(glob, exclude, user);
        checks.push(check);
        files += count;
      }
    }
  }
  return { checks, files };
}

/** Whether a glob matches anything that can be read. */
export async function checkGlob(
  glob: string,
  exclude: readonly string[],
  user: string,
): Promise<{ readonly check: Check; readonly count: number }> {
  const { paths, unreadable, misnamed } = await matchFiles([glob], exclude);
  const readable = await Promise.all(paths.map(isReadable));
  const closed = [...unreadable, ...paths.filter((_, i) => readable[i] === false)];
  const count = paths.length;
  const [first] = closed;
  if (first !== undefined) {
    const open = count - closed.filter((path) => paths.includes(path)).length;
    const summary = `${closed.length} of what it matches cannot be read, such as ${first}; ${open} files can`;
    return { check: fail(glob, summary, await adviseOn(first, user)), count };
  }
  const [odd] = misnamed;
  if (odd !== undefined) {
    const summary = `${misnamed.length} of what it matches cannot be named, such as ${odd}; ${count} files can`;
    return { check: warn(glob, summary, "rename it: in UTF-8, and shorter than 4 KiB"), count };
  }
  if (count === 0) {
    const advice = "check the path; a file that appears there later is read from its beginning";
    return { check: warn(glob, "matches no file at the moment", advice), count };
  }
  return {
    check: ok(glob, count === 1 ? "1 file, readable" : `${count} files, all readable`),
    count,
  };
}

async function isReadable(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch (error) {
    // Gone meanwhile: nothing that permissions would help.
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** The group that may read it is the least that helps; where there is none, an entry in its access control list. */
async function adviseOn(path: string, user: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && (found.mode & GROUP_READ) !== 0 && found.gid !== 0) {
    const group = await nameOf("group", found.gid);
    return `let the agent into the group ${group}: usermod -aG ${group} ${user} (systemd: SupplementaryGroups=${group}), then restart it`;
  }
  const mode = found?.isDirectory() === true ? "rx" : "r";
  return `give it to the agent alone: setfacl -m u:${user}:${mode} ${path}`;
}
