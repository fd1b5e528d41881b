/**
 * Tells whether node_modules is what the lock file asks for, so that a warm start need not ask pnpm.
 *
 * The record holds a digest of every manifest, of the lock file and of pnpm's own note of what it
 * installed (node_modules/.pnpm/lock.yaml): an installation made by hand, a branch switched under
 * it or an interrupted one changes one of them.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const RECORD = "node_modules/.sluice-install.json";
const INSTALLED_LOCK = "node_modules/.pnpm/lock.yaml";

/** Folders of the workspace's packages, as in pnpm-workspace.yaml, relative to the root. */
export function workspaceFolders(root) {
  const folders = ["."];
  for (const group of ["packages", "apps"]) {
    if (!existsSync(join(root, group))) continue;
    for (const name of readdirSync(join(root, group)).sort()) folders.push(join(group, name));
  }
  folders.push("test");
  return folders.filter((folder) => existsSync(join(root, folder, "package.json")));
}

function readManifest(root, folder) {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
}

function expectedRecord(root) {
  const digest = createHash("sha256");
  const manifests = workspaceFolders(root).map((folder) => join(folder, "package.json"));
  for (const path of ["pnpm-lock.yaml", "pnpm-workspace.yaml", INSTALLED_LOCK, ...manifests]) {
    const content = readFileSync(join(root, path));
    digest.update(`${path} ${content.length}\n`).update(content);
  }
  return JSON.stringify({
    platform: process.platform,
    arch: process.arch,
    sha256: digest.digest("hex"),
  });
}

/** True when every package that a manifest names is where it must be. */
function everyDependencyIsThere(root) {
  return workspaceFolders(root).every((folder) => {
    const { dependencies = {}, devDependencies = {} } = readManifest(root, folder);
    return Object.keys({ ...dependencies, ...devDependencies }).every((name) =>
      existsSync(join(root, folder, "node_modules", name, "package.json")),
    );
  });
}

function nodeRuns(root) {
  const wanted = `v${readManifest(root, ".").devDependencies.node}`;
  const run = spawnSync(join(root, "node_modules/.bin/node"), ["--version"], { encoding: "utf8" });
  return run.status === 0 && run.stdout.trim() === wanted;
}

/** True when the recorded installation still is the one that the manifests and the lock ask for. */
export function installedAt(root) {
  if (!existsSync(join(root, RECORD)) || !existsSync(join(root, INSTALLED_LOCK))) return false;
  return (
    readFileSync(join(root, RECORD), "utf8") === expectedRecord(root) &&
    everyDependencyIsThere(root) &&
    nodeRuns(root)
  );
}

/** Records the installation that has just succeeded. */
export function recordInstall(root) {
  writeFileSync(join(root, RECORD), expectedRecord(root));
}
