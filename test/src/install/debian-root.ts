import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const MIRROR = "http://deb.debian.org/debian";

/** A minimal system takes one minute to load and unpack, several on a busy machine. */
const BOOTSTRAP_TIMEOUT_MS = 15 * 60_000;
const COMMAND_TIMEOUT_MS = 5 * 60_000;

/** Nothing of the machine's own reaches the inside. */
const ENV = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/** A user of the inside, as a unit names it. */
export interface RootUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** A fresh Debian in a folder, with a network of its own that has nothing but its loopback. */
export class DebianRoot implements Disposable {
  readonly path: string;
  readonly #namespace: string;
  readonly #services: ChildProcess[] = [];
  #isMounted = false;

  private constructor(path: string) {
    this.path = path;
    this.#namespace = basename(path);
  }

  /** Why there can be none on this machine; undefined where there can. */
  static refused(): string | undefined {
    if (process.geteuid?.() !== 0) return "needs root, for a chroot and a network namespace";
    const missing = ["debootstrap", "ip", "chroot", "dpkg-deb", "mount"].filter(
      (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0,
    );
    return missing.length > 0 ? `needs ${missing.join(", ")}: apt-get install them` : undefined;
  }

  /** @throws Error with what debootstrap said */
  static make(): DebianRoot {
    const root = new DebianRoot(mkdtempSync(join(tmpdir(), "sluice-root-")));
    try {
      check(
        "debootstrap",
        ["--variant=minbase", "bookworm", root.path, MIRROR],
        BOOTSTRAP_TIMEOUT_MS,
      );
      check("chmod", ["0755", root.path]);
      check("mount", ["-t", "proc", "proc", join(root.path, "proc")]);
      root.#isMounted = true;
      check("ip", ["netns", "add", root.#namespace]);
      check("ip", ["-n", root.#namespace, "link", "set", "lo", "up"]);
      return root;
    } catch (error) {
      root[Symbol.dispose]();
      throw error;
    }
  }

  /** Command and arguments that run what follows them in the inside's network, with the machine's own files. */
  get network(): readonly string[] {
    return ["ip", "netns", "exec", this.#namespace];
  }

  /** Puts a file inside. */
  copyIn(file: string, to: string): void {
    cpSync(file, join(this.path, to));
  }

  /**
   * Runs a command inside, as root, without a network but its own.
   *
   * @throws Error with all that it printed where it fails
   */
  run(...command: readonly string[]): string {
    return check("ip", this.#inside(undefined, {}, command));
  }

  /** The same with the machine's network, for apt. */
  runOnline(...command: readonly string[]): string {
    cpSync("/etc/resolv.conf", join(this.path, "etc/resolv.conf"));
    return check("chroot", [this.path, "env", "-i", ...assignments({}), ...command]);
  }

  /** Starts a service inside; disposal ends it. */
  start(
    user: RootUser,
    env: Readonly<Record<string, string>>,
    command: readonly string[],
  ): ChildProcess {
    const service = spawn("ip", this.#inside(user, env, command), {
      stdio: ["ignore", "inherit", "pipe"],
    });
    this.#services.push(service);
    return service;
  }

  /** For what needs nothing mounted, such as a container that boots. */
  unmount(): void {
    if (this.#isMounted) check("umount", [join(this.path, "proc")]);
    this.#isMounted = false;
  }

  [Symbol.dispose](): void {
    for (const service of this.#services) service.kill("SIGKILL");
    spawnSync("ip", ["netns", "delete", this.#namespace]);
    this.unmount();
    rmSync(this.path, { recursive: true, force: true });
  }

  #inside(
    user: RootUser | undefined,
    env: Readonly<Record<string, string>>,
    command: readonly string[],
  ): string[] {
    const as =
      user === undefined
        ? []
        : [`--userspec=${user.name}:${user.name}`, `--groups=${user.groups.join(",")}`];
    const words = ["netns", "exec", this.#namespace, "chroot", ...as, this.path, "env", "-i"];
    return [...words, ...assignments(env), ...command];
  }
}

function assignments(env: Readonly<Record<string, string>>): string[] {
  return Object.entries({ ...ENV, ...env }).map(([name, value]) => `${name}=${value}`);
}

function check(command: string, args: readonly string[], timeout = COMMAND_TIMEOUT_MS): string {
  const result = spawnSync(command, args, {
    encoding: "utf8",
    timeout,
    env: { PATH: process.env["PATH"], DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error !== undefined || result.status !== 0) {
    const how = result.error?.message ?? result.signal ?? `exit code ${result.status}`;
    const said = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-15).join("\n  ");
    throw new Error(`${command} ${args.join(" ")}: ${how}\n  ${said}`);
  }
  return result.stdout;
}
