import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { installLines } from "../src/install/install-line.ts";
import { quoteForShell, renderScript } from "../src/install/install-script.ts";
import { Products } from "../src/install/products.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nAAAA/+\nBBBB==\n-----END CERTIFICATE-----\n";
const WISH = { url: "https://logs.example.net:7514", token: "sle_x-_1" };

describe("the line for a host", () => {
  test("is one line, pins the authority for curl and wget, and gives the token by a pipe alone", () => {
    const { install, read } = installLines({ ...WISH, ca: PEM });
    expect(`${install}${read}`).not.toContain("\n");
    expect(install.match(/sle_x-_1/g)).toHaveLength(1);
    expect(install).toContain("printf '%s\\n' sle_x-_1 | ");
    expect(install).toContain('--cacert "$d/ca.pem" --capath "$d"');
    expect(install).toContain('--ca-certificate="$d/ca.pem" --ca-directory="$d"');
    expect(read).not.toContain("sle_");
  });

  test("makes the authority's file again, byte for byte", () => {
    const { install } = installLines({ ...WISH, ca: PEM });
    const [, print = ""] = /(printf '%s\\n' '-----BEGIN.*?) >"\$d\/ca\.pem"/.exec(install) ?? [];
    expect(execFileSync("sh", ["-c", print], { encoding: "utf8" })).toBe(PEM);
  });

  test("names no authority where systems know the certificate", () => {
    expect(installLines({ ...WISH, ca: null }).install).not.toContain("ca.pem");
  });
});

describe("the script", () => {
  test("is sh, and knows its collector", async () => {
    const script = await renderScript(WISH.url);
    expect(script).toContain("\nCOLLECTOR=https://logs.example.net:7514\n");
    expect(script).not.toContain("@COLLECTOR");
    execFileSync("sh", ["-n"], { input: script });
  });

  test("takes a URL for one word, whatever is in it", async () => {
    const word = quoteForShell("https://x/$(touch a)'; b");
    expect(execFileSync("sh", ["-c", `printf %s ${word}`], { encoding: "utf8" })).toBe(
      "https://x/$(touch a)'; b",
    );
  });
});

describe("what hosts download", () => {
  test("is the folder's files, with sums that sha256sum checks, and nothing beyond", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-products-"));
    try {
      await writeFile(join(dir, "sluice-agent.js"), "agent");
      const products = new Products(dir);
      expect(await products.find("sluice-agent.js")).toMatchObject({ bytes: 5 });
      for (const name of ["../x", "..", ".hidden", "", "a/b", "none"]) {
        expect(await products.find(name)).toBeUndefined();
      }
      const input = await products.sums();
      execFileSync("sha256sum", ["--check", "--strict"], { cwd: dir, input });
      await writeFile(join(dir, "sluice-agent.js"), "another");
      expect(await products.sums()).not.toBe(input);
      expect(await products.agentBuilds()).toEqual(["sluice-agent.js"]);
      await writeFile(join(dir, "SHA256SUMS"), "own\n");
      expect(await products.sums()).toBe("own\n");
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test.each([
    ["sluice-agent.cjs", true],
    ["sluice-agent-0.1.0.mjs", true],
    ["sluice-agent-linux-x64", true],
    ["sluice-agent-0.1.0-linux-arm64", true],
    ["sluice-agent_0.1.0_amd64.deb", false],
    ["sluice-linux-x64", false],
    ["sluice-0.1.0.tgz", false],
  ])("%s is a build of the agent: %s", async (name, isBuild) => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-products-"));
    try {
      await writeFile(join(dir, "SHA256SUMS"), `${"0".repeat(64)}  ${name}\n`);
      expect(await new Products(dir).agentBuilds()).toEqual(isBuild ? [name] : []);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test("of a folder that is not there is nothing", async () => {
    const products = new Products("/nonexistent/agent");
    expect(await products.agentBuilds()).toEqual([]);
    expect(await products.sums()).toBe("");
  });
});
