/** Node.js for the executables, of the version that runs this, from the npm registry. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { run } from "./command.mjs";

/** The `dist.integrity` of node-PLATFORM@VERSION: what is downloaded is what was tried. */
const INTEGRITY = {
  "24.21.0": {
    "linux-x64":
      "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
    "linux-arm64":
      "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
};

/**
 * @param {string} platform such as linux-arm64
 * @param {string} cache a folder where downloads stay
 * @returns {{ binary: string, license: string }} paths
 */
export function nodeBinary(platform, cache) {
  const version = process.versions.node;
  const integrity = INTEGRITY[version]?.[platform];
  if (integrity === undefined) {
    throw new Error(`no integrity is known of Node.js ${version} for ${platform}: add it here`);
  }
  const folder = join(cache, `node-${version}-${platform}`);
  const found = {
    binary: join(folder, "package/bin/node"),
    license: join(folder, "package/LICENSE"),
  };
  if (existsSync(folder)) return found;
  const part = `${folder}.part`;
  mkdirSync(part, { recursive: true });
  const name = run("npm", [
    "pack",
    "--silent",
    "--pack-destination",
    part,
    `node-${platform}@${version}`,
  ]).trim();
  const tarball = join(part, name);
  const digest = createHash("sha512").update(readFileSync(tarball)).digest("base64");
  if (`sha512-${digest}` !== integrity) {
    throw new Error(`node-${platform}@${version} is not what it was: sha512-${digest}`);
  }
  run("tar", ["-xzf", tarball, "-C", part, "package/bin/node", "package/LICENSE"]);
  rmSync(tarball);
  renameSync(part, folder);
  return found;
}
