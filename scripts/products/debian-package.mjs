/** A .deb of one executable: its unit, its configuration, its user, and a purge that leaves nothing. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  globSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

import { run } from "./command.mjs";

const TEMPLATES = join(import.meta.dirname, "../../packaging/debian");

/** Debian's names of the platforms. */
export const ARCHITECTURE = { "linux-x64": "amd64", "linux-arm64": "arm64" };

/** What the two packages differ in. */
const PACKAGES = {
  "sluice-agent": {
    config: "agent.yaml",
    next: "sluice-agent: edit /etc/sluice/agent.yaml, put the token into /etc/sluice/agent.token, then: systemctl enable --now sluice-agent",
    purge: "rm -f /etc/sluice/agent.token /etc/sluice/agent.yaml.before-*",
  },
  sluice: {
    config: "collector.yaml",
    next: "sluice: sluice init --name NAME-OF-THIS-MACHINE, then: systemctl enable --now sluice",
    purge: ":",
  },
};

/**
 * @param {object} parts
 * @param {"sluice" | "sluice-agent"} parts.name
 * @param {string} parts.version
 * @param {string} parts.platform such as linux-x64
 * @param {string} parts.executable
 * @param {readonly string[]} parts.agentBuilds files that a collector offers to its hosts; of the agent's package none
 * @param {string} parts.unit text of the systemd unit
 * @param {string} parts.nodeLicense path of Node.js's LICENSE
 * @param {string} parts.changelog path
 * @param {number} parts.epochSeconds time of all that is in it
 * @param {string} parts.folder where the package goes
 * @param {string} parts.scratch
 * @returns {string} its file name
 */
export function makeDebianPackage(parts) {
  const { name, version, platform, folder, scratch, epochSeconds } = parts;
  const architecture = ARCHITECTURE[platform];
  const tree = join(scratch, `deb-${name}-${architecture}`);
  rmSync(tree, { recursive: true, force: true });
  const { config } = PACKAGES[name];
  const doc = `usr/share/doc/${name}`;
  const put = (path, content, mode = 0o644) => {
    const file = join(tree, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, content);
    chmodSync(file, mode);
  };
  const { next, purge } = PACKAGES[name];
  const values = { PACKAGE: name, VERSION: version, ARCHITECTURE: architecture, NEXT: next };
  const fill = (template, more = {}) =>
    readFileSync(join(TEMPLATES, template), "utf8").replaceAll(
      /@([A-Z_]+)@/g,
      (_, key) => ({ ...values, PURGE: purge, NODE: process.versions.node, ...more })[key],
    );

  mkdirSync(join(tree, "usr/bin"), { recursive: true });
  copyFileSync(parts.executable, join(tree, "usr/bin", name));
  chmodSync(join(tree, "usr/bin", name), 0o755);
  for (const build of parts.agentBuilds) {
    put(`usr/share/sluice/agent/${basename(build)}`, readFileSync(build), 0o755);
  }
  put(`usr/lib/systemd/system/${name}.service`, parts.unit);
  put(`etc/sluice/${config}`, fill(config));
  put(`${doc}/copyright`, fill("copyright"));
  put(`${doc}/LICENSE.node`, readFileSync(parts.nodeLicense));
  put(`${doc}/changelog.gz`, gzipSync(readFileSync(parts.changelog), { level: 9 }));

  const files = globSync("**/*", { cwd: tree }).toSorted();
  const regular = files.filter((path) => statSync(join(tree, path)).isFile());
  const bytes = regular.reduce((sum, path) => sum + statSync(join(tree, path)).size, 0);
  const sums = regular.map((path) => `${md5(join(tree, path))}  ${path}\n`).join("");
  put("DEBIAN/control", fill(`${name}.control`, { INSTALLED_SIZE: Math.ceil(bytes / 1024) }));
  put("DEBIAN/conffiles", `/etc/sluice/${config}\n`);
  put("DEBIAN/md5sums", sums);
  for (const script of ["postinst", "prerm", "postrm"]) {
    put(`DEBIAN/${script}`, fill(script), 0o755);
  }
  for (const path of ["", ...globSync("**/*", { cwd: tree })]) {
    const full = join(tree, path);
    if (statSync(full).isDirectory()) chmodSync(full, 0o755);
    lutimesSync(full, epochSeconds, epochSeconds);
  }
  const file = `${name}_${version}_${architecture}.deb`;
  // gzip: xz takes two minutes of CPU time a package, and the dpkg of Debian 11 cannot read zstd.
  run("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z6", "--build", tree, join(folder, file)], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds) },
  });
  return file;
}

/** dpkg's own check of what it has installed; nothing relies on it for more. */
function md5(path) {
  return createHash("md5").update(readFileSync(path)).digest("hex");
}
