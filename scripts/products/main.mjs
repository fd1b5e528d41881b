/**
 * Builds what is shipped, and SHA256SUMS beside it.
 *
 *   node scripts/products/main.mjs            all of it, into dist/products: about a minute a platform. That
 *                                             folder is also what a collector serves to hosts (`products_dir`)
 *   node scripts/products/main.mjs portable   into dist/portable what any Node.js runs: the agent's file and the
 *                                             collector's tarball
 *   --platform linux-x64                      only executables and packages of this one; may be repeated
 *   --out DIR                                 into another folder, which is emptied before
 *
 * The programs are built before (`turbo run build`); the same commit gives the same bytes.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";

import { agentBundle, collectorBundle } from "../bundle/bundles.mjs";
import { readBuildStamp } from "./build-stamp.mjs";
import { run } from "./command.mjs";
import { ARCHITECTURE, makeDebianPackage } from "./debian-package.mjs";
import { makeExecutable } from "./executable.mjs";
import { nodeBinary } from "./node-binary.mjs";
import { makeNpmPackage } from "./npm-package.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    platform: { type: "string", multiple: true, default: Object.keys(ARCHITECTURE) },
    out: { type: "string" },
    // Node.js of other platforms; not in dist, so that a new build does not load it again.
    cache: { type: "string", default: join(ROOT, "node_modules/.cache/sluice-node") },
  },
});
const isPortable = positionals[0] === "portable";
const folder = resolve(values.out ?? join(ROOT, "dist", isPortable ? "portable" : "products"));
const scratch = mkdtempSync(join(tmpdir(), "sluice-products-"));

const { epochSeconds, ...stamp } = readBuildStamp(ROOT);
const { version } = JSON.parse(readFileSync(join(ROOT, "apps/agent/package.json"), "utf8"));
const units = {
  "sluice-agent": "apps/agent/dist/sluice-agent.cjs",
  sluice: "apps/collector/dist/sluice.cjs",
};

async function bundle(options) {
  const build = await rolldown({ ...options, logLevel: "silent" });
  await build.write(options.output);
  await build.close();
  return options.output.file;
}

function step(name, made) {
  const startedMs = performance.now();
  const result = made();
  console.log(`${name.padEnd(36)} ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return result;
}

async function makePortable() {
  const agent = await bundle(agentBundle(join(folder, "sluice-agent.cjs"), stamp));
  const collector = await bundle(
    collectorBundle(join(scratch, "sluice.cjs"), { stamp, sqlite: "better-sqlite3" }),
  );
  step(`sluice-${version}.tgz`, () =>
    makeNpmPackage({ root: ROOT, bundle: collector, folder, scratch }),
  );
  return agent;
}

function makePlatform(platform, bundles) {
  const node = step(`Node.js for ${platform}`, () => nodeBinary(platform, values.cache));
  const addon = join(ROOT, `packages/store/node_modules/better-sqlite3/prebuilds/${platform}.node`);
  const programs = {
    // One thread that compiles and collects beside the main one (docs/decisions/0006).
    "sluice-agent": {
      bundle: bundles.agent,
      nodeOptions: ["--v8-pool-size=1", "--initial-old-space-size=8"],
      assets: {},
    },
    sluice: {
      bundle: bundles.collector,
      nodeOptions: [],
      assets: { "sluice.cjs": bundles.collector, "better_sqlite3.node": addon },
    },
  };
  for (const [name, program] of Object.entries(programs)) {
    const file = join(folder, `${name}-${platform}`);
    const { isStripped } = step(`${name}-${platform}`, () =>
      makeExecutable({ ...program, file, platform, node: node.binary, scratch }),
    );
    if (!isStripped)
      console.log("  larger than it need be: the binutils of this platform are missing");
    const unit = run(process.execPath, [
      join(ROOT, units[name]),
      "service",
      "print",
      "--program",
      `/usr/bin/${name}`,
    ]);
    step(`${name}_${version}_${ARCHITECTURE[platform]}.deb`, () =>
      makeDebianPackage({
        name,
        version,
        platform,
        executable: file,
        agentBuilds: name === "sluice" ? [bundles.agent, `${folder}/sluice-agent-${platform}`] : [],
        unit,
        nodeLicense: node.license,
        changelog: join(ROOT, "CHANGELOG.md"),
        epochSeconds,
        folder,
        scratch,
      }),
    );
  }
}

function writeChecksums() {
  const names = readdirSync(folder).filter((name) => name !== "SHA256SUMS");
  const lines = names.toSorted().map((name) => {
    const digest = createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
    return `${digest}  ${name}\n`;
  });
  writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
}

try {
  if (!["portable", undefined].includes(positionals[0])) {
    throw new Error(`no such products: ${positionals[0]}`);
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const agent = await makePortable();
  if (!isPortable) {
    const collector = await bundle(
      collectorBundle(join(scratch, "sluice-embedded.cjs"), { stamp, sqlite: "embedded" }),
    );
    for (const platform of values.platform) makePlatform(platform, { agent, collector });
  }
  writeChecksums();
  console.log(`in ${folder}, of commit ${stamp.commit}:`);
  process.stdout.write(run("ls", ["-l", "--time-style=+", folder]));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}
