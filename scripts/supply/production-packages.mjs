/** What a product consists of besides its own code: every library that is installed for its running. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { installedFolder } from "../native-code.mjs";

export const ROOT = resolve(import.meta.dirname, "../..");
export const PRODUCTS = ["agent", "collector"];

const SCOPE = "@sluice/";

export function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/**
 * Libraries of a product by name and version, sorted, each with the folder that it is installed in
 * and what it depends on itself. Our own packages are walked through and not listed.
 *
 * @throws where one is not installed
 */
export function productionPackages(product) {
  const found = new Map();
  const seen = new Set();
  const direct = new Set();
  const walk = (folder) => {
    const manifest = readManifest(folder);
    const refs = new Set();
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const dependency = installedFolder(folder, name);
      if (dependency === undefined) throw new Error(`${name} is not installed: run npm start once`);
      const isOurs = name.startsWith(SCOPE);
      if (!isOurs) refs.add(refOf(readManifest(dependency)));
      if (seen.has(dependency)) continue;
      seen.add(dependency);
      const below = walk(dependency);
      if (isOurs) {
        for (const ref of below) direct.add(ref);
      } else {
        const { name: own, version, license, description, homepage } = readManifest(dependency);
        const ref = refOf({ name: own, version });
        const dependsOn = [...below].sort(byText);
        found.set(ref, {
          ref,
          name: own,
          version,
          license,
          description,
          homepage,
          folder: dependency,
          dependsOn,
        });
      }
    }
    return refs;
  };
  for (const ref of walk(join(ROOT, "apps", product))) direct.add(ref);
  const packages = [...found.values()].sort((a, b) => byText(a.ref, b.ref));
  return { packages, direct: [...direct].sort(byText) };
}

function byText(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** package-url/purl-spec, type npm. */
export function refOf({ name, version }) {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/** The files in which a library states its terms. */
export function licenceFiles(folder) {
  return ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "license", "license.md", "NOTICE"]
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path));
}
