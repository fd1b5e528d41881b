/**
 * `npm start` and `npm test` on a fresh checkout: installs what the lock file names, then runs the
 * task on the repository's own Node. Uses nothing but node: built-ins, and only syntax that an old
 * Node parses, so that a Node that is too old gets a sentence and not a stack trace.
 */
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { installedAt, recordInstall } from "./install-record.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const PNPM = "pnpm@12.21.0";
const OLDEST_NODE = 20;
const BIN = join(ROOT, "node_modules", ".bin");
const NODE = join(BIN, "node");

/** Each task: what must succeed first, and the script that is the task. */
const TASKS = {
  start: {
    before: { name: "build", command: join(BIN, "turbo"), args: ["run", "build"] },
    script: "scripts/start.mjs",
  },
  test: { script: "scripts/check.mjs" },
};

function fail(message, exitCode) {
  process.stderr.write(`sluice: ${message}\n`);
  process.exit(exitCode);
}

/** Runs a command whose output matters only when it fails. */
function runQuietly(name, command, args, env) {
  const run = spawnSync(command, args, {
    cwd: ROOT,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.error) fail(`${name}: cannot run ${command}: ${run.error.message}`, 1);
  if (run.status === 0) return;
  process.stderr.write(run.stdout + run.stderr);
  const how = run.signal ? `was ended by ${run.signal}` : `failed with exit code ${run.status}`;
  fail(`${name} ${how} (${command} ${args.join(" ")})`, run.status || 1);
}

function install() {
  if (installedAt(ROOT)) return;
  process.stderr.write("sluice: installing the dependencies that pnpm-lock.yaml names\n");
  const env = { ...process.env, CI: "true" };
  // With "production" pnpm would leave the build tools out.
  delete env.NODE_ENV;
  const args = ["--yes", PNPM, "install", "--frozen-lockfile", "--prefer-offline"];
  runQuietly("install", "npx", args, env);
  recordInstall(ROOT);
  if (!installedAt(ROOT)) {
    fail("the installation is incomplete: remove node_modules and try again", 1);
  }
}

/** Runs the task in the foreground and ends as it ends. */
function runInForeground(args, env) {
  const child = spawn(NODE, args, { cwd: ROOT, env, stdio: "inherit" });
  // A terminal sends Ctrl-C to the child as well; what only this process gets is passed on.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`cannot run ${NODE}: ${error.message}`, 1));
  child.on("exit", (code, signal) => {
    process.exit(signal ? 128 + constants.signals[signal] : code);
  });
}

function main(taskName, taskArgs) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE) {
    fail(`Node ${OLDEST_NODE} or newer is needed, and this is ${process.versions.node}.`, 2);
  }
  const task = Object.hasOwn(TASKS, taskName) ? TASKS[taskName] : undefined;
  if (!task) fail(`usage: bootstrap.mjs ${Object.keys(TASKS).join("|")}`, 2);
  install();
  const env = {
    ...process.env,
    PATH: `${BIN}:${process.env.PATH}`,
    TURBO_TELEMETRY_DISABLED: "1",
  };
  if (task.before) runQuietly(task.before.name, task.before.command, task.before.args, env);
  runInForeground([task.script, ...taskArgs], env);
}

main(process.argv[2], process.argv.slice(3));
