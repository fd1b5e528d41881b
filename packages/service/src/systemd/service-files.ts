import { execFile } from "node:child_process";
import {
  lstat,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { Failure } from "../failure.ts";

const execute = promisify(execFile);

/** Where an administrator's units are; a package's own are under /usr/lib and give way to these. */
const UNIT_DIR = "/etc/systemd/system";

export interface ServiceFilesOptions {
  /** The unit's name without `.service`, and its user. */
  readonly name: string;
  /** The folder that stands for `/`: another than that has files installed and nothing else. */
  readonly root: string;
}

/** What was done, a line each, for a person. */
type Report = (line: string) => void;

/** The unit of a service on this machine, its user, and what systemd makes of both. */
export class ServiceFiles {
  readonly #name: string;
  readonly #root: string;
  readonly #say: Report;

  constructor({ name, root }: ServiceFilesOptions, say: Report) {
    this.#name = name;
    this.#root = root;
    this.#say = say;
  }

  /**
   * Writes the unit, makes the user, and enables and starts the service where systemd is running. Doing it again
   * changes nothing, or takes up what has changed.
   *
   * @throws Failure where this is not root, or a tool fails
   */
  async install(unit: string): Promise<void> {
    this.#requireRoot("install a service");
    if (this.#isThisMachine) {
      await this.#makeUser();
    }
    const isNew = await this.#writeUnit(unit);
    await this.#enable();
    if (!(await this.#isBooted())) {
      this.#say(
        `systemd is not running here, so nothing was started; where it is: systemctl daemon-reload && systemctl start ${this.#name}`,
      );
      return;
    }
    await systemctl("daemon-reload");
    await systemctl(isNew ? "restart" : "start", this.#unitName);
    this.#say(`started    ${this.#unitName}; how it is doing: systemctl status ${this.#name}`);
  }

  /** Stops and disables the service and removes its unit. What is not there is no failure. */
  async uninstall(): Promise<void> {
    this.#requireRoot("remove a service");
    const isBooted = await this.#isBooted();
    if (isBooted && (await this.isActive())) {
      await systemctl("stop", this.#unitName);
      this.#say(`stopped    ${this.#unitName}`);
    }
    for (const path of [this.#wantedPath, `${this.#unitPath}.d`, this.#unitPath]) {
      await this.remove(path);
    }
    if (isBooted) {
      await systemctl("daemon-reload");
    }
  }

  /** Removes a file or a folder with all that is in it, and says so. */
  async remove(path: string): Promise<void> {
    const full = join(this.#root, path);
    if (await isThere(full)) {
      await rm(full, { recursive: true });
      this.#say(`removed    ${full}`);
    }
  }

  async removeUser(): Promise<void> {
    if (this.#isThisMachine && (await has("passwd", this.#name))) {
      await tool("userdel", this.#name);
      if (await has("group", this.#name)) {
        await tool("groupdel", this.#name);
      }
      this.#say(`removed    user ${this.#name}`);
    }
  }

  async isActive(): Promise<boolean> {
    return (
      (await this.#isBooted()) &&
      (await execute("systemctl", ["is-active", "--quiet", this.#unitName]).then(
        () => true,
        () => false, // The exit code is the answer.
      ))
    );
  }

  restart(): Promise<void> {
    return systemctl("restart", this.#unitName);
  }

  get #unitName(): string {
    return `${this.#name}.service`;
  }

  get #unitPath(): string {
    return join(UNIT_DIR, this.#unitName);
  }

  get #wantedPath(): string {
    return join(UNIT_DIR, "multi-user.target.wants", this.#unitName);
  }

  get #isThisMachine(): boolean {
    return this.#root === "/";
  }

  /** sd_booted(3) */
  async #isBooted(): Promise<boolean> {
    return this.#isThisMachine && (await isThere("/run/systemd/system"));
  }

  #requireRoot(what: string): void {
    if (this.#isThisMachine && process.geteuid?.() !== 0) {
      throw new Failure(`only root may ${what}`, "try again with sudo");
    }
  }

  async #makeUser(): Promise<void> {
    if (await has("passwd", this.#name)) {
      return;
    }
    const isGroupThere = await has("group", this.#name);
    await tool(
      "useradd",
      "--system",
      ...(isGroupThere ? ["--gid", this.#name] : ["--user-group"]),
      "--no-create-home",
      "--home-dir=/nonexistent",
      "--shell=/usr/sbin/nologin",
      this.#name,
    );
    this.#say(`made       user ${this.#name}`);
  }

  /** Gives whether it differs from what was there. */
  async #writeUnit(unit: string): Promise<boolean> {
    const path = join(this.#root, this.#unitPath);
    const before = await readFile(path, "utf8").catch(() => undefined);
    if (before === unit) {
      this.#say(`unchanged  ${path}`);
      return false;
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, unit, { mode: 0o644 });
    await rename(`${path}.new`, path);
    this.#say(`wrote      ${path}`);
    return true;
  }

  /** As `systemctl enable` does it; by hand, because that needs systemd where there may be none. */
  async #enable(): Promise<void> {
    const path = join(this.#root, this.#wantedPath);
    const target = this.#unitPath;
    if ((await readlink(path).catch(() => undefined)) === target) {
      this.#say(`unchanged  ${path}`);
      return;
    }
    await mkdir(dirname(path), { recursive: true });
    await unlink(path).catch(ignoreMissing);
    await symlink(target, path);
    this.#say(`enabled    ${path}`);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") {
    throw error;
  }
}

/** Of a link itself, wherever it leads. */
function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** getent(1): also what comes from a directory service. */
async function has(database: "passwd" | "group", name: string): Promise<boolean> {
  return execute("getent", [database, name]).then(
    () => true,
    () => false, // 2: not there.
  );
}

function systemctl(...args: readonly string[]): Promise<void> {
  return tool("systemctl", ...args);
}

async function tool(command: string, ...args: readonly string[]): Promise<void> {
  try {
    await execute(command, args);
  } catch (cause) {
    const { stderr = "" } = cause as { stderr?: string };
    throw new Failure(
      `${[command, ...args].join(" ")} failed${stderr === "" ? "" : `: ${stderr.trim()}`}`,
      command === "systemctl"
        ? `look at what it says: journalctl -u ${args.at(-1) ?? ""} -n 20`
        : "mend that, then try again: what was done already is not done twice",
      undefined,
      { cause },
    );
  }
}
