/**
 * Enforces that every version is pinned and that the lock file works with every registry.
 * `node scripts/lock-file.mjs` exits 1 with one line for each violation.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Integrity alone names a package; an address would tie the checkout to one registry. */
const ADDRESS = /https?:|git\+|\btarball:/;
/** What package.json files and the catalog ask for, which a frozen install compares with them. */
const SPECIFIER = /^\s+specifier: '?(.+?)'?$/;
const PINNED = /^(\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?|catalog:|workspace:\*)$/;

/** @returns {string[]} one line for each address and each version that is not exact */
export function lockFileViolations(text) {
  return text.split("\n").flatMap((line, index) => {
    const where = `pnpm-lock.yaml:${index + 1}`;
    if (ADDRESS.test(line)) return [`${where}: holds an address: ${line.trim()}`];
    const specifier = SPECIFIER.exec(line)?.[1];
    if (specifier === undefined || PINNED.test(specifier)) return [];
    return [`${where}: "${specifier}" is not an exact version`];
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = join(resolve(import.meta.dirname, ".."), "pnpm-lock.yaml");
  const violations = lockFileViolations(readFileSync(path, "utf8"));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
