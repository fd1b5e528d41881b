/** The workspace as the checks see it: packages with their manifests and source files. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {object} WorkspacePackage
 * @property {string} name the folder's own name, which is the name after @sluice/
 * @property {string} folder relative to the root, with forward slashes
 * @property {any} manifest package.json
 */

const GENERATED = ["node_modules", "dist", "coverage"];

/** @returns {WorkspacePackage[]} */
export function readPackages(root) {
  return globSync(["packages/*/package.json", "apps/*/package.json", "test/package.json"], {
    cwd: root,
  })
    .sort()
    .map((path) => {
      const folder = path.slice(0, -"/package.json".length);
      const manifest = JSON.parse(readFileSync(join(root, path), "utf8"));
      return { name: folder.split("/").at(-1), folder, manifest };
    });
}

/** Files below a folder that people write, relative to the root. */
export function filesBelow(root, folder, pattern) {
  return globSync(`${folder}/${pattern}`, {
    cwd: root,
    exclude: (path) => GENERATED.some((name) => path.split("/").includes(name)),
  }).sort();
}
