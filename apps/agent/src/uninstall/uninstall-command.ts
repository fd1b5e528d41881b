import { execFile } from "node:child_process";
import { access, readdir, readFile, rmdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Failure, ownProgram, ServiceFiles } from "@sluice/service";

import { SERVICE_NAME } from "../service/agent-unit.ts";
import { askStatus } from "../status/status-socket.ts";

const execute = promisify(execFile);

const CONFIG_DIR = "/etc/sluice";
const STATE_DIR = "/var/lib/sluice-agent";

/** What the agent and its installation write into the configuration's folder. */
const OWN_FILES = /^(agent\..*|ca\.pem)$/;

export interface UninstallOptions {
  /** Configuration, state and the user too. */
  readonly purge: boolean;
  /** Where the state is, as far as the configuration could tell. */
  readonly stateDir: string | undefined;
}

/**
 * `sluice-agent uninstall`: the service and this program; with `purge` all that is left of them. What is not there any
 * more is no failure.
 *
 * @throws Failure where a package manager owns the program, or an agent is still running
 */
export async function uninstall({ purge, stateDir }: UninstallOptions): Promise<void> {
  const { file } = ownProgram();
  const owner = await packageOf(file);
  if (owner !== undefined) {
    throw new Failure(
      `${file} belongs to the package ${owner}`,
      `remove that: apt ${purge ? "purge" : "remove"} ${owner}`,
    );
  }
  const service = new ServiceFiles({ name: SERVICE_NAME, root: "/" }, say);
  await service.uninstall();
  const state = resolve(stateDir ?? STATE_DIR);
  const running = await askStatus(state);
  if (running !== undefined) {
    throw new Failure(
      `an agent is still running on ${state} (process ${running.pid})`,
      "stop it, then try again: nothing but the service was removed",
    );
  }
  if (purge) {
    await removeState(service, state);
    await removeConfiguration(service);
    await service.removeUser();
  } else {
    say(`kept       ${CONFIG_DIR}, ${state}, user ${SERVICE_NAME}; with --purge they go too`);
  }
  if (isOfCheckout(file)) {
    say(`kept       ${file}: it is part of a checkout or of another package`);
  } else {
    await service.remove(`${file}.previous`);
    await service.remove(file);
  }
}

/** A folder that is configured by mistake is not emptied: only one that an agent has kept its state in. */
async function removeState(service: ServiceFiles, path: string): Promise<void> {
  if (path !== STATE_DIR && !(await isThere(join(path, "agent-id")))) {
    say(`kept       ${path}: it does not look like an agent's state_dir`);
    return;
  }
  await service.remove(path);
}

/** A collector on the same machine keeps what is its own, and an authority that its configuration names. */
async function removeConfiguration(service: ServiceFiles): Promise<void> {
  const names: readonly string[] = await readdir(CONFIG_DIR).catch(() => []);
  const collectorConfig = await readFile(join(CONFIG_DIR, "collector.yaml"), "utf8").catch(
    () => "",
  );
  for (const name of names) {
    const path = join(CONFIG_DIR, name);
    if (OWN_FILES.test(name) && !collectorConfig.includes(path)) {
      await service.remove(path);
    }
  }
  const left = await readdir(CONFIG_DIR).catch(() => undefined);
  if (left?.length === 0) {
    await rmdir(CONFIG_DIR);
  } else if (left !== undefined) {
    say(`kept       ${CONFIG_DIR}: ${left.join(", ")}`);
  }
}

/** Debian's package that a file came with; undefined where none did, or this is not Debian. */
async function packageOf(file: string): Promise<string | undefined> {
  return execute("dpkg-query", ["--search", file]).then(
    ({ stdout }) => stdout.split(":")[0],
    () => undefined,
  );
}

function isOfCheckout(file: string): boolean {
  return file.includes("/apps/agent/dist/") || file.includes("/node_modules/");
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
