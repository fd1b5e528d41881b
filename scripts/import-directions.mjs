/**
 * Enforces who may import whom (import-law.mjs) over the import statements, the manifests, the
 * project references and what is installed. `node scripts/import-directions.mjs` exits 1 with one
 * line for each violation.
 */
import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { IMPORT_LAW, NEVER_NATIVE } from "./import-law.mjs";
import { readModuleImports } from "./module-imports.mjs";
import { installedFolder, isNative, nativeClosure } from "./native-code.mjs";
import { filesBelow, readPackages } from "./source-tree.mjs";

const SCOPE = "@sluice/";
const BUILTINS = new Set(builtinModules);

/** "@scope/name/deep/path" -> "@scope/name" */
function libraryOf(specifier) {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function builtinOf(specifier) {
  if (specifier.startsWith("node:")) return specifier.slice("node:".length);
  return BUILTINS.has(specifier) ? specifier : undefined;
}

/** True when the target's manifest exports this specifier: "./x" for "@sluice/store/x". */
function isPublicEntry(target, specifier) {
  const subpath = `.${specifier.slice(libraryOf(specifier).length)}`;
  return subpath in (target.manifest.exports ?? {});
}

function packageViolation(law, specifier, packages) {
  const name = libraryOf(specifier).slice(SCOPE.length);
  if (!law.packages.includes(name)) return `may not import ${SCOPE}${name}`;
  const target = packages.get(name);
  if (!target) return `imports ${specifier}, which is not in the workspace`;
  if (!isPublicEntry(target, specifier)) {
    return `imports ${specifier}, which is no public entry of ${SCOPE}${name}`;
  }
  return undefined;
}

/** Types of a library may come from devDependencies; so may everything outside src. */
function isDeclared(manifest, library, { typeOnly, path, folder }) {
  const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = manifest;
  if (library in dependencies || library in peerDependencies) return true;
  if (!typeOnly && path.startsWith(`${folder}/src/`)) return false;
  const types = `@types/${library.replace(/^@/, "").replace("/", "__")}`;
  return library in devDependencies || types in devDependencies;
}

/** What is wrong with one import, or undefined. */
function importViolation({ name, folder, manifest }, path, { specifier, typeOnly }, packages) {
  const law = IMPORT_LAW[name];
  if (specifier === undefined) return "imports a name that is computed when it runs";
  if (specifier.startsWith(".") || specifier.startsWith("/")) {
    const target = posix.join(posix.dirname(path), specifier);
    const inside = specifier.startsWith(".") && target.startsWith(`${folder}/`);
    return inside ? undefined : `imports ${specifier}, which is outside of the package`;
  }
  const builtin = builtinOf(specifier);
  if (builtin !== undefined) {
    const allowed = law.builtins === "all" || law.builtins.includes(builtin);
    return allowed ? undefined : `may not import node:${builtin}`;
  }
  const library = libraryOf(specifier);
  if (library.startsWith(SCOPE)) {
    const violation = packageViolation(law, specifier, packages);
    if (violation) return violation;
  }
  if (!isDeclared(manifest, library, { typeOnly, path, folder })) {
    return `imports ${library}, which its package.json does not declare`;
  }
  return undefined;
}

function* importViolations(root, pkg, packages) {
  // The end-to-end package has its tests beside src, under the same law.
  const pattern = pkg.name === "test" ? "**/*.{ts,tsx,mts,js,mjs}" : "src/**/*.{ts,tsx,mts,js,mjs}";
  for (const path of filesBelow(root, pkg.folder, pattern)) {
    const text = readFileSync(join(root, path), "utf8");
    for (const found of readModuleImports(path, text)) {
      const problem = importViolation(pkg, path, found, packages);
      if (problem) yield `${path}:${found.line}: ${pkg.name} ${problem}`;
    }
  }
}

/** package.json must not allow what the law forbids, nor name a package by anything but its place. */
function* manifestViolations({ name, folder, manifest }) {
  const law = IMPORT_LAW[name];
  const where = `${folder}/package.json: ${name}`;
  if (manifest.name !== `${SCOPE}${name}`) yield `${where} is named ${manifest.name}`;
  for (const [library, version] of Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
  })) {
    if (!library.startsWith(SCOPE)) continue;
    if (!law.packages.includes(library.slice(SCOPE.length))) {
      yield `${where} may not depend on ${library}`;
    }
    if (version !== "workspace:*") yield `${where} depends on ${library} by ${version}`;
  }
}

/** A dependency without a project reference is not rebuilt when it changes. */
function* referenceViolations(root, { name, folder, manifest }, packages) {
  const path = `${folder}/tsconfig.json`;
  if (!existsSync(join(root, path))) return;
  const { references = [] } = JSON.parse(readFileSync(join(root, path), "utf8"));
  const referenced = new Set(references.map((reference) => posix.join(folder, reference.path)));
  for (const library of Object.keys(manifest.dependencies ?? {})) {
    const target = library.startsWith(SCOPE) && packages.get(library.slice(SCOPE.length));
    if (target && !referenced.has(target.folder)) {
      yield `${path}: ${name} depends on ${library} and has no reference to ${target.folder}`;
    }
  }
}

function* nativeViolations(root, { name, folder, manifest }) {
  const where = `${folder}/package.json: ${name}`;
  if (NEVER_NATIVE.includes(name)) {
    const { native, missing } = nativeClosure(join(root, folder));
    for (const chain of native) yield `${where} reaches native code: ${chain.join(" > ")}`;
    for (const chain of missing) yield `${where} is not wholly installed: ${chain.join(" > ")}`;
    return;
  }
  for (const library of Object.keys(manifest.dependencies ?? {})) {
    const installed = installedFolder(join(root, folder), library);
    if (installed && isNative(installed) && !IMPORT_LAW[name].addons.includes(library)) {
      yield `${where} may not depend on the native addon ${library}`;
    }
  }
}

/** @returns {string[]} one line for each violation, in the order of the packages */
export function importDirectionViolations(root) {
  const packages = new Map(readPackages(root).map((pkg) => [pkg.name, pkg]));
  const violations = [];
  for (const pkg of packages.values()) {
    if (!Object.hasOwn(IMPORT_LAW, pkg.name)) {
      violations.push(`${pkg.folder}: ${pkg.name} has no line in scripts/import-law.mjs`);
      continue;
    }
    violations.push(
      ...importViolations(root, pkg, packages),
      ...manifestViolations(pkg),
      ...referenceViolations(root, pkg, packages),
      ...nativeViolations(root, pkg),
    );
  }
  return violations;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const violations = importDirectionViolations(resolve(import.meta.dirname, ".."));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
