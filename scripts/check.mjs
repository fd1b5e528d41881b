/**
 * `npm test`: every check of the repository, one after the other. A failing check does not stop
 * the ones after it, so that one run shows all that is wrong; the exit code is 1 where any failed.
 * The last line is "N passed, N failed, N skipped", in which each check that is not a test suite
 * counts as one.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { styleText } from "node:util";

const ROOT = resolve(import.meta.dirname, "..");
const BIN = join(ROOT, "node_modules", ".bin");
/** The whole run stays under six minutes, unless all is wanted: a check that hangs is ended and has failed. */
const BUDGET_MS = process.env.SLUICE_LONG_TESTS === "1" ? 900_000 : 358_000;
const GRACE_MS = 5_000;
/** How a check says that it could not look; its last line says why. */
const SKIPPED = 3;

/** In this order: what is cheap and what the tests need comes first. */
const CHECKS = [
  { name: "format", command: "oxfmt", args: ["--check"] },
  {
    name: "build",
    command: "turbo",
    args: ["run", "build", "--continue", "--output-logs=errors-only"],
  },
  { name: "types of the tests", command: "tsc", args: ["--project", "tsconfig.tests.json"] },
  { name: "lint", command: "oxlint", args: ["--type-aware"] },
  { name: "import directions", command: "node", args: ["scripts/import-directions.mjs"] },
  { name: "file names", command: "node", args: ["scripts/file-names.mjs"] },
  { name: "lock file", command: "node", args: ["scripts/lock-file.mjs"] },
  { name: "licences", command: "node", args: ["scripts/licences.mjs"] },
  { name: "bill of materials", command: "node", args: ["scripts/sbom.mjs"] },
  { name: "advisories", command: "node", args: ["scripts/audit.mjs"], mayBeSkipped: true },
  { name: "dead code", command: "knip", args: ["--no-config-hints"] },
  {
    name: "tests",
    command: "vitest",
    args: ["run", "--reporter=default", "--reporter=./scripts/vitest-reporter.mjs"],
    isTestRun: true,
  },
];

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/**
 * Runs one command; its output goes to the terminal as it comes. Gives its exit code where that is
 * not 0, or what went wrong.
 */
function run({ command, args }, env, waitMs) {
  return new Promise((done) => {
    const child = spawn(join(BIN, command), args, {
      cwd: ROOT,
      env,
      stdio: ["ignore", "inherit", "inherit"],
    });
    let outOfTime = false;
    const asked = setTimeout(() => {
      outOfTime = true;
      child.kill("SIGTERM");
    }, waitMs);
    const forced = setTimeout(() => child.kill("SIGKILL"), waitMs + GRACE_MS);
    child.on("error", (error) => done(error.message));
    child.on("exit", (code, signal) => {
      clearTimeout(asked);
      clearTimeout(forced);
      if (outOfTime) done(`not done within ${seconds(waitMs)}`);
      else if (signal) done(`ended by ${signal}`);
      else done(code === 0 ? undefined : code);
    });
  });
}

/** A run that broke off before its report has failed once, whatever its tests would have said. */
function readTestReport(path, problem) {
  if (!existsSync(path)) return { passed: 0, failed: 1, skipped: [] };
  const report = JSON.parse(readFileSync(path, "utf8"));
  if (problem && report.failed === 0) report.failed = 1;
  return report;
}

async function runCheck(check, env, waitMs) {
  console.log(styleText("bold", `\n== ${check.name}`));
  const startedMs = performance.now();
  const problem = await run(check, env, waitMs);
  const tookMs = performance.now() - startedMs;
  if (check.mayBeSkipped && problem === SKIPPED) {
    console.log(`== ${check.name}: skipped, ${seconds(tookMs)}`);
    const skipped = [{ name: check.name, reason: "it could not be asked: see above" }];
    return { name: check.name, ok: true, tookMs, passed: 0, failed: 0, skipped };
  }
  const report = check.isTestRun
    ? readTestReport(env.SLUICE_TEST_REPORT, problem)
    : { passed: problem ? 0 : 1, failed: problem ? 1 : 0, skipped: [] };
  const ok = report.failed === 0 && problem === undefined;
  const how = typeof problem === "number" ? `exit code ${problem}` : problem;
  console.log(`== ${check.name}: ${ok ? "ok" : `FAILED (${how})`}, ${seconds(tookMs)}`);
  return { name: check.name, ok, tookMs, ...report };
}

function printSummary(results) {
  console.log(styleText("bold", "\n== summary"));
  for (const { name, ok, tookMs, passed, skipped } of results) {
    const isSkipped = passed === 0 && skipped.length > 0;
    const verdict = isSkipped
      ? styleText("yellow", "skip  ")
      : ok
        ? styleText("green", "ok    ")
        : styleText("red", "FAILED");
    console.log(`${verdict}  ${name.padEnd(20)} ${seconds(tookMs).padStart(8)}`);
  }
  const skipped = results.flatMap((result) => result.skipped);
  for (const { name, reason } of skipped) console.log(`skipped ${name}: ${reason}`);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  return failed === 0;
}

const scratch = mkdtempSync(join(tmpdir(), "sluice-check-"));
const env = {
  ...process.env,
  PATH: `${BIN}:${process.env.PATH}`,
  SLUICE_TEST_REPORT: join(scratch, "tests.json"),
  TURBO_TELEMETRY_DISABLED: "1",
};
const endMs = performance.now() + BUDGET_MS;
const results = [];
for (const check of CHECKS) {
  results.push(await runCheck(check, env, Math.max(0, endMs - performance.now())));
}
rmSync(scratch, { recursive: true });
process.exitCode = printSummary(results) ? 0 : 1;
