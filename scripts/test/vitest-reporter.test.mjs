import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPTS = resolve(import.meta.dirname, "..");
const MODULES = resolve(SCRIPTS, "../node_modules");

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-reporter-"));
  symlinkSync(MODULES, join(root, "node_modules"));
});

afterEach(() => rmSync(root, { recursive: true }));

/** Runs one suite under the reporter, in a process of its own. */
async function runSuite(body) {
  const imports = `import { describe, expect, test } from "vitest";\n`;
  writeFileSync(join(root, "a.test.mjs"), imports + body);
  const path = join(root, "report.json");
  const vitest = join(MODULES, "vitest/vitest.mjs");
  const args = ["run", "--root", root, "--reporter", join(SCRIPTS, "vitest-reporter.mjs")];
  const child = spawn(process.execPath, [vitest, ...args], {
    env: { ...process.env, SLUICE_TEST_REPORT: path },
    stdio: "ignore",
  });
  const [exitCode] = await once(child, "exit");
  return { exitCode, report: JSON.parse(readFileSync(path, "utf8")) };
}

test("a skip that says why is listed with its reason and fails nothing", async () => {
  const { exitCode, report } = await runSuite(`
    test("passes", () => expect(1).toBe(1));
    describe("corpus", () => test("is read", (ctx) => ctx.skip("no sample corpus")));
  `);
  expect(exitCode).toBe(0);
  expect(report).toEqual({
    passed: 1,
    failed: 0,
    skipped: [{ name: expect.stringContaining("corpus > is read"), reason: "no sample corpus" }],
    unexplained: [],
  });
});

test.each([
  ["test.skip", `test.skip("later", () => expect(1).toBe(1));`],
  ["test.todo", `test.todo("later");`],
  ["a bare ctx.skip()", `test("later", (ctx) => ctx.skip());`],
  ["a blank reason", `test("later", (ctx) => ctx.skip(" "));`],
])("%s fails the run", async (_, skip) => {
  const { exitCode, report } = await runSuite(`test("a", () => expect(1).toBe(1));\n${skip}`);
  expect(exitCode).toBe(1);
  expect(report).toMatchObject({ passed: 1, failed: 1, skipped: [] });
  expect(report.unexplained).toEqual([expect.stringContaining("later")]);
});

test.each([
  ["a failing test", `test("a", () => expect(1).toBe(2));`],
  ["a file that throws", `throw new Error("broken");`],
  ["a rejection that nobody awaits", `test("a", () => { Promise.reject(new Error("lost")); });`],
])("%s counts as failed", async (_, body) => {
  const { exitCode, report } = await runSuite(body);
  expect(exitCode).toBe(1);
  expect(report.failed).toBeGreaterThan(0);
});
