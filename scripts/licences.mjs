/**
 * Enforces that every library which the products bring along is under terms that let them, and that
 * THIRD_PARTY_NOTICES.txt states those terms. `--write` writes the file; without it the exit code is
 * 1, with a line for each violation, where a licence is not allowed or the file is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { licenceFiles, PRODUCTS, productionPackages, ROOT } from "./supply/production-packages.mjs";

/** SPDX identifiers of terms that ask for no more than to be passed on with the code. */
const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "Unlicense",
]);

const NOTICES = join(ROOT, "THIRD_PARTY_NOTICES.txt");
const RULE = "-".repeat(80);

/** @returns {string[]} one line for each library whose terms are not known to be good */
export function licenceViolations(packages) {
  return packages
    .filter(({ license }) => !isAllowed(license))
    .map(({ name, version, license }) => {
      const terms =
        license === undefined ? "states no licence" : `is under ${JSON.stringify(license)}`;
      return `${name} ${version} ${terms}: see whether scripts/licences.mjs may allow it`;
    });
}

/** Of a choice (`MIT OR GPL-3.0`) one will do; of a sum (`MIT AND ISC`) all must. */
function isAllowed(license) {
  if (typeof license !== "string") return false;
  const expression = license.replaceAll(/[()]/g, " ").trim();
  return expression
    .split(/\s+OR\s+/)
    .some((choice) => choice.split(/\s+AND\s+/).every((part) => ALLOWED.has(part.trim())));
}

export function noticesOf(packages) {
  const parts = packages.map(({ name, version, license, folder }) => {
    const texts = licenceFiles(folder).map((path) => readFileSync(path, "utf8").trim());
    return [`${RULE}\n${name} ${version} (${license})`, ...texts].join("\n\n");
  });
  const head =
    "Sluice is distributed with the libraries below, under their own terms. SQLite, which better-sqlite3\n" +
    "holds, is in the public domain. Written by scripts/licences.mjs --write.";
  return `${[head, ...parts].join("\n\n").replaceAll("\r\n", "\n")}\n`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const all = PRODUCTS.flatMap((product) => productionPackages(product).packages);
  const packages = [...new Map(all.map((one) => [one.ref, one])).values()].sort((a, b) =>
    a.ref < b.ref ? -1 : 1,
  );
  const violations = licenceViolations(packages);
  const notices = noticesOf(packages);
  if (process.argv.includes("--write")) {
    writeFileSync(NOTICES, notices);
  } else if (!existsSync(NOTICES) || readFileSync(NOTICES, "utf8") !== notices) {
    violations.push("THIRD_PARTY_NOTICES.txt is out of date: node scripts/licences.mjs --write");
  }
  for (const violation of violations) console.error(violation);
  const counts = Map.groupBy(packages, ({ license }) => license);
  const list = [...counts].map(([license, of]) => `${of.length} ${license}`).join(", ");
  console.log(`${packages.length} libraries: ${list}`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
