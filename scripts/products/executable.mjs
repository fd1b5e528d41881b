/**
 * A program with its Node.js in one file, a "single executable application" of Node
 * (https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html).
 */
import { chmodSync, copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { run } from "./command.mjs";

const POSTJECT = resolve(import.meta.dirname, "../../node_modules/.bin/postject");

/** Node's own, flipped by the injection: it marks a Node that carries a program. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/** Which strip knows a platform's files: the machine's own knows only its own. */
const STRIP = { "linux-x64": "x86_64-linux-gnu-strip", "linux-arm64": "aarch64-linux-gnu-strip" };

/**
 * @param {object} parts
 * @param {string} parts.file what is made
 * @param {string} parts.platform such as linux-x64
 * @param {string} parts.node that platform's Node.js
 * @param {string} parts.bundle the program, CommonJS
 * @param {readonly string[]} parts.nodeOptions
 * @param {Readonly<Record<string, string>>} parts.assets name to path
 * @param {string} parts.scratch
 * @returns {{ isStripped: boolean }} unstripped where the platform's binutils are not installed: 18 MB more
 */
export function makeExecutable({ file, platform, node, bundle, nodeOptions, assets, scratch }) {
  const config = join(scratch, "sea-config.json");
  const blob = join(scratch, "sea.blob");
  writeFileSync(
    config,
    JSON.stringify({
      main: bundle,
      output: blob,
      disableExperimentalSEAWarning: true,
      useCodeCache: false,
      execArgv: nodeOptions,
      // NODE_OPTIONS in a service's environment is none of this program's business.
      execArgvExtension: "none",
      assets,
    }),
  );
  run(process.execPath, ["--experimental-sea-config", config]);
  copyFileSync(node, file);
  chmodSync(file, 0o755);
  const isStripped = strip(file, platform);
  run(POSTJECT, [file, "NODE_SEA_BLOB", blob, "--sentinel-fuse", FUSE]);
  return { isStripped };
}

/** Before the injection: a strip after it would take the program out again. */
function strip(file, platform) {
  const own = platform === `${process.platform}-${process.arch}` ? "strip" : undefined;
  const tool = [`/usr/bin/${STRIP[platform]}`, `/usr/bin/${own}`].find(existsSync);
  if (tool === undefined) return false;
  run(tool, [file]);
  return true;
}
