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
      await writeFile(join(dir, "SHA256SUMS"), "own\n");
      expect(await products.sums()).toBe("own\n");
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
