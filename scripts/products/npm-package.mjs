/** The collector as a tarball that `npm install --global` takes: one file, and SQLite's addon from the registry. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { run } from "./command.mjs";

/**
 * @param {object} parts
 * @param {string} parts.root the repository
 * @param {string} parts.bundle
 * @param {string} parts.folder where the tarball goes
 * @param {string} parts.scratch
 * @returns {string} its file name
 */
export function makeNpmPackage({ root, bundle, folder, scratch }) {
  const read = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
  const { version, engines, license } = read("apps/collector/package.json");
  const sqlite = read("packages/store/node_modules/better-sqlite3/package.json").version;
  const tree = join(scratch, "npm");
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  const manifest = {
    name: "sluice",
    version,
    description: "Collects logs from agents, keeps them in SQLite, and finds any line again.",
    license,
    bin: { sluice: "sluice.cjs" },
    engines,
    dependencies: { "better-sqlite3": sqlite },
  };
  writeFileSync(join(tree, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  copyFileSync(bundle, join(tree, "sluice.cjs"));
  chmodSync(join(tree, "sluice.cjs"), 0o755);
  for (const name of ["README.md", "LICENSE"]) copyFileSync(join(root, name), join(tree, name));
  // npm writes one fixed time for all files: the same bytes each time.
  run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], { cwd: tree });
  return `sluice-${version}.tgz`;
}
