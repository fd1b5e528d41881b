import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { runCommand } from "../src/command.ts";
import { PRODUCT } from "../src/product.ts";

let root: string;

/** A checkout whose agent only says where it would look for its configuration. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-launcher-"));
  for (const name of ["sluice", "sluice-agent"]) {
    copyFileSync(join(PRODUCT.root, name), join(root, name));
  }
  symlinkSync(join(PRODUCT.root, "node_modules"), join(root, "node_modules"));
  const bundle = join(root, "apps/agent/dist/sluice-agent.cjs");
  mkdirSync(dirname(bundle), { recursive: true });
  writeFileSync(bundle, "console.log(process.env.CONFIGURATION_DIRECTORY ?? 'standard')");
});
afterEach(() => rmSync(root, { recursive: true }));

async function lookedInto(command: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await runCommand([join(root, "sluice-agent"), command], env);
  return stdout.trim();
}

test("in a checkout the agent's commands are about the agent that npm start runs", async () => {
  expect(await lookedInto("status")).toBe("standard");
  const folder = join(root, ".sluice");
  mkdirSync(folder);
  writeFileSync(join(folder, "agent.yaml"), "");
  for (const command of ["status", "doctor", "add", "check"]) {
    expect(await lookedInto(command)).toBe(folder);
  }
  expect(await lookedInto("uninstall")).toBe("standard");
  expect(await lookedInto("status", { CONFIGURATION_DIRECTORY: "/etc/mine" })).toBe("/etc/mine");
});
