import { realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { appendToList } from "@sluice/config";
import { escapeLines, EXIT, Failure, replaceFile } from "@sluice/service";
import { coversPath } from "@sluice/tail";

import type { AgentSettings } from "../agent-settings.ts";
import { becomeAgentUser } from "../doctor/agent-user.ts";
import { checkGlob } from "../doctor/file-checks.ts";
import { type ConfigRequest, loadSettings } from "../settings.ts";
import { askStatus } from "../status/status-socket.ts";

/** Configuration is no secret; the token is in a file of its own. */
const NEW_FILE_MODE = 0o644;

/** `sluice-agent add PATH...`: adds a source to the configuration, and has the running agent take it up. */
export async function addSource(
  request: ConfigRequest,
  paths: readonly string[],
  start: string | undefined,
): Promise<void> {
  const { settings, file, text } = await loadSettings(request);
  const globs = [...new Set(paths.map((path) => resolve(path)))];
  await refuseFolders(paths);
  const added: string[] = [];
  for (const glob of globs) {
    const reader = readerOf(glob, settings);
    if (reader === undefined) {
      added.push(glob);
    } else {
      say(`${glob} is read already, by ${reader}: not added again`);
    }
  }
  if (added.length === 0) {
    say(`nothing was changed in ${file}`);
    return;
  }
  const item = {
    file: added.length === 1 ? added[0] : added,
    ...(start !== undefined && { start }),
  };
  const edited = appendToList(text ?? "", "sources", item);
  // Checked as a whole before anything is written.
  const changed = await loadSettings({ ...request, text: edited });
  await write(file, edited);
  say(`added to ${file}: ${added.join(", ")}`);
  await tellAgent(changed.settings.stateDir);
  await describe(added, changed.settings);
}

/** A folder is no file, and which of its files are logs is for its owner to say. */
async function refuseFolders(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const found = await stat(resolve(path)).catch(() => undefined);
    if (found?.isDirectory() === true) {
      throw new Failure(
        path === "" ? "an empty path" : `${path} is a folder`,
        `name the files in it: sluice-agent add '${join(path, "*.log")}'`,
        EXIT.usage,
      );
    }
  }
}

/** The globs that read a path already; undefined where none do. */
function readerOf(glob: string, { sources }: AgentSettings): string | undefined {
  for (const source of sources) {
    if (
      "include" in source &&
      (source.include.includes(glob) || coversPath(source.include, source.exclude, glob))
    ) {
      return source.include.join(", ");
    }
  }
  return undefined;
}

/** A link stays one; the file keeps its owner and mode. */
async function write(file: string, text: string): Promise<void> {
  try {
    const target = await realpath(file).catch(() => file);
    const old = await stat(target).catch(() => undefined);
    await replaceFile(target, text, (old?.mode ?? NEW_FILE_MODE) & 0o777, old);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(
      `cannot write ${file}: ${message}`,
      code === "ENOENT"
        ? "make the folder first"
        : "run it as the file's owner: sudo sluice-agent add",
      EXIT.failed,
      { cause: error },
    );
  }
}

async function tellAgent(stateDir: string): Promise<void> {
  const later = "systemctl reload sluice-agent (or send it SIGHUP)";
  let pid: number | undefined;
  try {
    pid = (await askStatus(stateDir))?.pid;
  } catch (error) {
    say(`${(error as Error).message}; have it read its configuration again: ${later}`);
    return;
  }
  if (pid === undefined) {
    say("no agent is running: it is read from the next start on");
    return;
  }
  try {
    process.kill(pid, "SIGHUP");
    say(`the running agent (process ${pid}) was told to read its configuration again`);
  } catch (error) {
    say(`the running agent could not be told (${(error as Error).message}): ${later}`);
  }
}

/** How many files that are, and whether the agent can read them. */
async function describe(globs: readonly string[], { stateDir }: AgentSettings): Promise<void> {
  const status = await askStatus(stateDir).catch(() => undefined);
  const user = await becomeAgentUser(stateDir, status?.pid);
  for (const glob of globs) {
    const { check } = await checkGlob(glob, [], user);
    say(`${glob}: ${check.summary}${check.advice === undefined ? "" : `\n  ${check.advice}`}`);
  }
}

/** A path that a shell found may hold anything. */
function say(text: string): void {
  process.stdout.write(`${process.stdout.isTTY ? escapeLines(text) : text}\n`);
}
