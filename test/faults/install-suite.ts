import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chownSync,
  chmodSync,
  existsSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

import { bootRefused, checkBooted } from "../src/install/booted.ts";
import { DebianRoot } from "../src/install/debian-root.ts";
import { fileChanges, listFiles } from "../src/install/file-list.ts";
import { readUnit } from "../src/install/service-unit.ts";
import { PRODUCT } from "../src/product.ts";
import { installByOneLine } from "./one-line-step.ts";

const PRODUCTS = join(PRODUCT.root, "dist/products");
const LINES = 1_000;
const ARRIVE_WITHIN_MS = 60_000;

/** One thing that an operator does on a host; gives what was wrong with it. */
interface Step {
  readonly name: string;
  readonly run: (root: DebianRoot) => readonly string[] | Promise<readonly string[]>;
}

/** In this order, on one root that has no Node.js. What is installed by a step is removed by it or by a later one. */
const STEPS: readonly Step[] = [
  { name: "there is no Node.js", run: hasNoNode },
  { name: "the packages are installed by dpkg", run: installPackages },
  { name: "the units' commands run as their users, lines arrive", run: runUnits },
  { name: "the packages are purged, nothing is left", run: purgePackages },
  { name: "the one line, twice; a line is found; uninstall --purge", run: oneLine },
  { name: "service install, twice, without systemd", run: installService },
  { name: "uninstall --purge, nothing is left", run: uninstall },
  { name: "systemd: units, watchdog, upgrade, rollback, uninstall", run: bootUnits },
];

let before: ReturnType<typeof listFiles>;

/** Installation and removal on a fresh Debian, a line a step; returns whether all went well. */
export async function runInstallSuite(): Promise<boolean> {
  const refused = DebianRoot.refused();
  if (refused !== undefined) {
    console.log(refused);
    return false;
  }
  if (!existsSync(join(PRODUCTS, "SHA256SUMS")) || packages().length !== 2) {
    console.log("the products are not built: pnpm products --platform linux-x64");
    return false;
  }
  const startedMs = performance.now();
  using root = DebianRoot.make();
  console.log(line("a fresh Debian (bookworm, minbase)", startedMs, []));
  // What the line needs that a minimal system has not.
  root.runOnline("apt-get", "update", "-qq");
  root.runOnline("apt-get", "install", "-qq", "--no-install-recommends", "curl");
  before = listFiles(root.path);
  let isFine = true;
  for (const { name, run } of STEPS) {
    const stepMs = performance.now();
    const problems = await Promise.resolve(run(root)).catch((error: unknown) => [String(error)]);
    console.log(line(name, stepMs, problems));
    isFine &&= problems.length === 0;
  }
  return isFine;
}

function hasNoNode({ path }: DebianRoot): string[] {
  return ["usr/bin/node", "usr/local/bin/node", "usr/bin/nodejs"]
    .filter((file) => existsSync(join(path, file)))
    .map((file) => `/${file} is there`);
}

function installPackages(root: DebianRoot): string[] {
  for (const file of packages()) {
    root.copyIn(join(PRODUCTS, file), `/tmp/${file}`);
  }
  root.run("dpkg", "--install", ...packages().map((file) => `/tmp/${file}`));
  const versions = [root.run("sluice", "--version"), root.run("sluice-agent", "--version")];
  return versions.filter(
    (said) => !/ \d+\.\d+\.\d+ \(linux-\w+, Node\.js [\d.]+, commit /.test(said),
  );
}

async function runUnits(root: DebianRoot): Promise<string[]> {
  const logPath = join(root.path, "var/log/app.log");
  writeFileSync(logPath, "");
  chmodSync(logPath, 0o640);
  chownSync(logPath, 0, 4); // adm
  const collector = startUnit(root, "sluice");
  const token = "/var/lib/sluice/tokens/ingest.token";
  await until(() => existsSync(join(root.path, token)));
  const { user } = readUnit(root.path, "sluice-agent");
  root.run("install", "-m", "600", "-o", user.name, token, "/etc/sluice/agent.token");
  writeFileSync(
    join(root.path, "etc/sluice/agent.yaml"),
    "token_file: /etc/sluice/agent.token\nsources:\n  - file: /var/log/app.log\n    start: beginning\n",
  );
  const agent = startUnit(root, "sluice-agent");
  for (let i = 0; i < LINES; i++) appendFileSync(logPath, `line ${i}\n`);
  const count = (): number =>
    root
      .run(
        "sluice",
        "query",
        "--token-file",
        "/var/lib/sluice/tokens/query.token",
        "--all",
        "-o",
        "raw",
        "line",
      )
      .split("\n").length - 1;
  const arrived = await until(() => count() === LINES);
  const problems = arrived ? [] : [`${count()} of ${LINES} lines have arrived`];
  for (const { name, process, log } of [agent, collector]) {
    process.kill("SIGTERM"); // `ip netns exec` and `chroot` have become the service itself
    const [code] = (await once(process, "exit")) as [number | null];
    if (code !== 0 || problems.length > 0)
      problems.push(`${name} ended with ${code}: ${await log}`);
  }
  return problems;
}

function purgePackages(root: DebianRoot): string[] {
  root.run("dpkg", "--purge", "sluice", "sluice-agent");
  root.run("rm", "-f", "/var/log/app.log");
  return fileChanges(before, listFiles(root.path));
}

function oneLine(root: DebianRoot): Promise<string[]> {
  return installByOneLine(root, executable());
}

function installService(root: DebianRoot): string[] {
  root.copyIn(executable(), "/usr/local/bin/sluice-agent");
  root.run("sluice-agent", "service", "install");
  const first = listFiles(root.path);
  root.run("sluice-agent", "service", "install");
  return fileChanges(first, listFiles(root.path));
}

function uninstall(root: DebianRoot): string[] {
  root.run("sluice-agent", "uninstall", "--purge");
  // A system that never had a unit has no such folders.
  for (const folder of ["multi-user.target.wants", ""]) {
    const path = join("/etc/systemd/system", folder);
    if (!before.has(path.slice(1))) root.run("rmdir", "--ignore-fail-on-non-empty", path);
  }
  return fileChanges(before, listFiles(root.path));
}

function bootUnits(root: DebianRoot): readonly string[] {
  const refused = bootRefused();
  if (refused !== undefined) return [refused];
  root.runOnline("apt-get", "update", "-qq");
  root.runOnline("apt-get", "install", "-qq", "--no-install-recommends", "systemd-sysv", "dbus");
  installPackages(root);
  root.unmount();
  const { problems, oneLineSeconds } = checkBooted(root.path, executable());
  console.log(
    `        under systemd, from the line to the first line found: ${oneLineSeconds.toFixed(1)} s`,
  );
  return problems;
}

function startUnit(root: DebianRoot, name: string) {
  const { user, environment, command, stateDirectory } = readUnit(root.path, name);
  root.run("install", "-d", "-m", "700", "-o", user.name, "-g", user.name, stateDirectory);
  const env = {
    ...environment,
    STATE_DIRECTORY: stateDirectory,
    CONFIGURATION_DIRECTORY: "/etc/sluice",
  };
  const process = root.start(user, env, command);
  if (process.stderr === null) throw new Error("the log of a service is piped");
  return { name, process, log: text(process.stderr) };
}

async function until(holds: () => boolean): Promise<boolean> {
  const endMs = performance.now() + ARRIVE_WITHIN_MS;
  while (!holds()) {
    if (performance.now() > endMs) return false;
    await delay(200);
  }
  return true;
}

function executable(): string {
  return join(PRODUCTS, `sluice-agent-linux-${process.arch}`);
}

/** Of this machine's own platform, with the checksum that is published. */
function packages(): string[] {
  const { stdout } = spawnSync("dpkg", ["--print-architecture"], { encoding: "utf8" });
  return readFileSync(join(PRODUCTS, "SHA256SUMS"), "utf8")
    .split("\n")
    .map((entry) => entry.split("  ")[1] ?? "")
    .filter((name) => name.endsWith(`_${stdout.trim()}.deb`));
}

function line(name: string, startedMs: number, problems: readonly string[]): string {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(6);
  const verdict = problems.length === 0 ? "ok" : "FAILED";
  return [`${verdict.padEnd(7)} ${name.padEnd(52)} ${seconds} s`, ...problems].join("\n  ");
}
