import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { onlyWhereAllAreWanted } from "../src/long-test.ts";
import { type CommandResult, runCommand } from "../src/command.ts";
import { PRODUCT, productAt } from "../src/product.ts";
import { Site } from "../src/site.ts";

const BUILD = join(PRODUCT.root, "scripts/products/main.mjs");
const UNIT_DIR = "etc/systemd/system";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-products-test-"));
  build(join(dir, "one"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A command of either program, run to its end. */
function run(program: string, ...args: readonly string[]): Promise<CommandResult> {
  return runCommand([process.execPath, program, ...args]);
}

function build(out: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [BUILD, "portable", "--out", out],
    {
      encoding: "utf8",
      env: { ...process.env, SOURCE_DATE_EPOCH: "1700000000" },
    },
  );
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
}

describe("what any Node.js runs", () => {
  test("is the same, byte for byte, when it is built again", (context) => {
    onlyWhereAllAreWanted(context);
    build(join(dir, "two"));
    const sums = readFileSync(join(dir, "one/SHA256SUMS"), "utf8");
    expect(sums).toMatch(
      /^[0-9a-f]{64} {2}sluice-\d+\.\d+\.\d+\.tgz\n[0-9a-f]{64} {2}sluice-agent\.cjs\n$/,
    );
    expect(readFileSync(join(dir, "two/SHA256SUMS"), "utf8")).toBe(sums);
  });

  test("is installed by npm, and ships and stores by itself", async ({ skip }) => {
    const tarball = /sluice-\S+\.tgz/.exec(readFileSync(join(dir, "one/SHA256SUMS"), "utf8"))?.[0];
    const prefix = join(dir, "npm");
    const npm = spawnSync(
      "npm",
      [
        "install",
        "--global",
        "--prefix",
        prefix,
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        join(dir, "one", tarball ?? ""),
      ],
      { encoding: "utf8" },
    );
    if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN/.test(npm.stderr))
      skip("the registry is out of reach");
    expect(npm.stderr).toBe("");
    const collector = join(prefix, "lib/node_modules/sluice/sluice.cjs");
    const version = await run(collector, "--version");
    expect(version.stdout).toMatch(
      /^sluice \d+\.\d+\.\d+ \(\w+-\w+, Node\.js [\d.]+, commit \w+(-dirty)? of 2023-11-14\)\n$/,
    );
    const agent = join(dir, "one/sluice-agent.cjs");
    await using site = new Site({ ...productAt(PRODUCT.root), collector, agent });
    const { port, collector: service } = await site.startCollector();
    const log = join(site.logDir, "app.log");
    writeFileSync(log, "shipped by what is shipped\n");
    await site.startAgent({ port, files: [log] });
    await site.untilStored(1);
    const { stdout } = await site.sluice("query", ...site.asking(port), "-o", "raw", "shipped");
    expect(stdout).toBe("shipped by what is shipped\n");
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});

describe.each([
  ["sluice-agent", PRODUCT.agent, 2.5],
  ["sluice", PRODUCT.collector, 2.5],
] as const)("the service %s", (name, program, mostExposure) => {
  test("is installed, and installed again without a change, where systemd does not run", async () => {
    const root = join(dir, name);
    const first = await run(program, "service", "install", "--root", root);
    expect(first).toMatchObject({ code: 0, stdout: "" });
    expect(first.stderr).toContain("systemd is not running here, so nothing was started");
    expect(first.stderr).toContain(`systemctl daemon-reload && systemctl start ${name}`);
    const unit = readFileSync(join(root, UNIT_DIR, `${name}.service`), "utf8");
    expect(unit).toBe((await run(program, "service", "print")).stdout);
    const second = await run(program, "service", "install", "--root", root);
    expect(second.stderr).toContain(`unchanged  ${join(root, UNIT_DIR, `${name}.service`)}`);
    const third = await run(program, "service", "uninstall", "--root", root);
    expect(third).toMatchObject({ code: 0 });
    const left = readdirSync(join(root, UNIT_DIR), { recursive: true });
    expect(left).toEqual(["multi-user.target.wants"]);
    expect((await run(program, "service", "uninstall", "--root", root)).code).toBe(0);
  });

  test("is a unit that systemd takes without a word, and has little to be attacked by", async ({
    skip,
  }) => {
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) skip("needs systemd-analyze");
    const { stdout } = await run(program, "service", "print");
    const unit = join(dir, `${name}.service`);
    writeFileSync(unit, stdout);
    const verified = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
    expect([verified.stdout, verified.stderr]).toEqual(["", ""]);
    const { stdout: said } = spawnSync(
      "systemd-analyze",
      ["security", "--offline=true", "--no-pager", unit],
      { encoding: "utf8" },
    );
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
    expect(exposure).toBeLessThanOrEqual(mostExposure);
  });
});

test.each([
  [["service", "print", "--program", "sluice-agent"], 2, "needs an absolute path"],
  [["service", "install", "--program", "/home/me/sluice-agent"], 1, "cannot be started from"],
  [["upgrade", "--collector", "ws://127.0.0.1:9"], 1, "is part of a checkout"],
])("sluice-agent %j is refused with what to do", async (args, code, message) => {
  const copy = join(dir, "sluice-agent.cjs");
  writeFileSync(copy, readFileSync(PRODUCT.agent));
  const result = await run(args[0] === "upgrade" ? PRODUCT.agent : copy, ...args);
  expect(result.stderr).toContain(message);
  expect(result.code).toBe(code);
});
