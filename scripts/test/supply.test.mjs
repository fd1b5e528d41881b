import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { advisoriesOf } from "../audit.mjs";
import { licenceViolations, noticesOf } from "../licences.mjs";
import { billOfMaterials, billProblems, lockedIntegrity } from "../sbom.mjs";
import {
  licenceFiles,
  PRODUCTS,
  productionPackages,
  ROOT,
} from "../supply/production-packages.mjs";

const lockText = readFileSync(join(ROOT, "pnpm-lock.yaml"), "utf8");

describe.each(PRODUCTS)("the %s", (product) => {
  const bom = billOfMaterials(product, lockText);

  test("has a bill of materials that lists each of its libraries, pinned by a hash", () => {
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    expect(billProblems(bom)).toEqual([]);
    const { packages, direct } = productionPackages(product);
    expect(bom.components.map(({ purl }) => purl)).toEqual(packages.map(({ ref }) => ref));
    expect(bom.dependencies[0].dependsOn).toEqual(direct);
    expect(direct).toContain("pkg:npm/ws@8.23.0");
    for (const { hashes } of bom.components) expect(hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
  });

  test("has the same bill each time, and another where a library is another", () => {
    expect(billOfMaterials(product, lockText)).toEqual(bom);
    expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/);
    const other = billOfMaterials(product, lockText.replaceAll("sha512-", "sha512-AAAA"));
    expect(other.serialNumber).not.toBe(bom.serialNumber);
  });

  test("has no library without a licence that may be passed on", () => {
    expect(licenceViolations(productionPackages(product).packages)).toEqual([]);
  });
});

test("only the collector loads native code", () => {
  const names = (product) => productionPackages(product).packages.map(({ name }) => name);
  expect(names("collector")).toContain("better-sqlite3");
  expect(names("agent")).not.toContain("better-sqlite3");
});

test.each([
  ["MIT", true],
  ["MIT OR GPL-3.0", true],
  ["(MIT OR Apache-2.0)", true],
  ["MIT AND ISC", true],
  ["MIT AND GPL-3.0", false],
  ["GPL-3.0-only", false],
  ["SEE LICENSE IN LICENSE", false],
  [undefined, false],
])("a library under %s is let in: %s", (license, isLetIn) => {
  const violations = licenceViolations([{ name: "a", version: "1.0.0", license }]);
  expect(violations.length === 0).toBe(isLetIn);
});

test("notices hold the words of each licence", () => {
  const { packages } = productionPackages("agent");
  const ws = packages.find(({ name }) => name === "ws");
  const [file] = licenceFiles(ws.folder);
  expect(existsSync(file)).toBe(true);
  expect(noticesOf([ws])).toContain(readFileSync(file, "utf8").trim());
});

test("the lock file's hashes are found for scoped names too", () => {
  const locked = lockedIntegrity(lockText);
  expect(locked.get("ws@8.23.0")).toMatch(/^sha512-/);
  expect(locked.get("@hono/node-server@2.1.9")).toMatch(/^sha512-/);
});

describe("what the registry says of advisories", () => {
  test("is listed, one line each", () => {
    const advisories = {
      1: { severity: "high", module_name: "ws", title: "a flaw", url: "https://x" },
    };
    const report = JSON.stringify({ advisories, metadata: {} });
    expect(advisoriesOf(report)).toEqual(["high: ws: a flaw (https://x)"]);
    expect(advisoriesOf(JSON.stringify({ advisories: {}, metadata: {} }))).toEqual([]);
  });

  test.each(["", "Error: ERR_PNPM_AUDIT_BAD_RESPONSE", "{}", "null", '{"error":{"code":"x"}}'])(
    "is no answer where it is %j",
    (output) => expect(advisoriesOf(output)).toBeUndefined(),
  );
});
