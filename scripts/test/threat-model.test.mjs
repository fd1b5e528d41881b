import { globSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(ROOT, "docs/threat-model.md"), "utf8");

test("every test that the threat model names exists", () => {
  const tests = globSync("{packages,apps}/*/test/**/*.test.ts", { cwd: ROOT });
  const names = new Set(
    [...tests, ...globSync("test/e2e/*.test.ts", { cwd: ROOT })].map((path) => basename(path)),
  );
  const named = [...page.matchAll(/`([\w-]+\.test\.ts)`/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !names.has(name))).toEqual([]);
});
