import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { installedAt, recordInstall } from "../install-record.mjs";

const LOCK = "lockfileVersion: '9.0'\n";

let root = "";

function write(path, content) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-install-"));
  write("package.json", { devDependencies: { node: process.versions.node } });
  write("packages/store/package.json", { dependencies: { ws: "catalog:" } });
  write("pnpm-workspace.yaml", "packages:\n  - packages/*\n");
  write("pnpm-lock.yaml", LOCK);
  write("node_modules/.pnpm/lock.yaml", LOCK);
  write("node_modules/node/package.json", {});
  write("packages/store/node_modules/ws/package.json", {});
  mkdirSync(join(root, "node_modules/.bin"));
  symlinkSync(process.execPath, join(root, "node_modules/.bin/node"));
});

afterEach(() => rmSync(root, { recursive: true }));

test("an installation is in step once it is recorded, and not before", () => {
  expect(installedAt(root)).toBe(false);
  recordInstall(root);
  expect(installedAt(root)).toBe(true);
});

test.each([
  ["the lock file changes", () => write("pnpm-lock.yaml", `${LOCK}#\n`)],
  ["a manifest changes", () => write("packages/store/package.json", { dependencies: {} })],
  ["a package is added", () => write("apps/agent/package.json", {})],
  ["another lock was installed by hand", () => write("node_modules/.pnpm/lock.yaml", "#\n")],
  [
    "a dependency is missing",
    () => rmSync(join(root, "packages/store/node_modules/ws/package.json")),
  ],
  ["node_modules is gone", () => rmSync(join(root, "node_modules"), { recursive: true })],
  ["its Node is gone", () => rmSync(join(root, "node_modules/.bin/node"))],
])("an installation is out of step when %s", (_, change) => {
  recordInstall(root);
  change();
  expect(installedAt(root)).toBe(false);
});

test("an installation is out of step when its Node is another than the manifest names", () => {
  write("package.json", { devDependencies: { node: "1.2.3" } });
  recordInstall(root);
  expect(installedAt(root)).toBe(false);
});
