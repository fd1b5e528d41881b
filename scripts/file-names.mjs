/**
 * Enforces how files are named and how long they are. `node scripts/file-names.mjs` exits 1 with
 * one line for each violation.
 */
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { filesBelow } from "./source-tree.mjs";

/** One noun per file, 60 to 250 lines; a file beyond this holds more than one. */
const MAX_LINES = 400;
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;
/** Names that say nothing about what is inside, alone or as a part: "string-utils". */
const EMPTY_NAME = /^(.*-)?(utils?|helpers?|common|misc)(-.*)?$/;

/** @returns {string | undefined} what is wrong with the file */
export function fileNameViolation(path, text) {
  const words = path.split("/").slice(0, -1);
  const name = basename(path);
  const stem = name.split(".")[0] ?? name;
  if (!KEBAB_CASE.test(name)) return `${path}: the name is not kebab-case`;
  for (const word of [...words, stem]) {
    if (EMPTY_NAME.test(word)) return `${path}: "${word}" names no noun of the vocabulary`;
  }
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (lines > MAX_LINES) return `${path}: ${lines} lines, at most ${MAX_LINES}`;
  return undefined;
}

/** @returns {string[]} */
export function fileNameViolations(root) {
  return ["packages", "apps", "test", "scripts"]
    .flatMap((folder) => filesBelow(root, folder, "**/*.{ts,tsx,mts,js,mjs}"))
    .map((path) => fileNameViolation(path, readFileSync(join(root, path), "utf8")))
    .filter((violation) => violation !== undefined);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const violations = fileNameViolations(resolve(import.meta.dirname, ".."));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
