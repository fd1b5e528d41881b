/** Finds native code in what is installed: which library loads it, and who depends on that. */
import { existsSync, globSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** Libraries whose only purpose is to build or find a native addon. */
const ADDON_LOADERS = new Set([
  "@mapbox/node-pre-gyp",
  "bindings",
  "napi-build-utils",
  "node-addon-api",
  "node-gyp-build",
  "node-pre-gyp",
  "prebuild-install",
]);

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/** Looks a library up as Node does: in node_modules of the folder and of all above it. */
export function installedFolder(fromFolder, name) {
  for (let at = realpathSync(fromFolder); ; at = dirname(at)) {
    const candidate = join(at, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (at === dirname(at)) return undefined;
  }
}

/** True when the package in this folder is or carries a native addon. */
export function isNative(folder) {
  const { dependencies = {}, gypfile } = readManifest(folder);
  if (gypfile === true || existsSync(join(folder, "binding.gyp"))) return true;
  if (Object.keys(dependencies).some((name) => ADDON_LOADERS.has(name))) return true;
  const addons = globSync("**/*.node", {
    cwd: folder,
    exclude: (path) => path.split("/").includes("node_modules"),
  });
  return addons.length > 0;
}

/**
 * Follows what a package depends on when it runs.
 *
 * @returns {{native: string[][], missing: string[][]}} chains of names from the package's own
 * dependency to the library that is native, or that is not installed
 */
export function nativeClosure(folder) {
  const native = [];
  const missing = [];
  const seen = new Set();
  const queue = [{ folder: realpathSync(folder), chain: [] }];
  for (const { folder: at, chain } of queue) {
    const { dependencies = {}, optionalDependencies = {} } = readManifest(at);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = installedFolder(at, name);
      if (found === undefined) {
        if (!(name in optionalDependencies)) missing.push([...chain, name]);
      } else if (!seen.has(found)) {
        seen.add(found);
        if (isNative(found)) native.push([...chain, name]);
        queue.push({ folder: found, chain: [...chain, name] });
      }
    }
  }
  return { native, missing };
}
