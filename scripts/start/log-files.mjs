/** Which log files of this machine can be shipped, and which cannot be read. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { userInfo } from "node:os";

const LOG_FOLDER = "/var/log";
/** System logs whose names do not end in .log. */
const PLAIN_NAMES = [
  "boot",
  "cron",
  "daemon",
  "debug",
  "maillog",
  "messages",
  "secure",
  "syslog",
  "user",
];
/** Not text; what systemd's journal holds is not read from its files. */
const JOURNAL = `${LOG_FOLDER}/journal`;
const COMPRESSED = /\.(gz|xz|zst|bz2|lz4|zip|Z)$/;
const PROBE_BYTES = 4096;
const GROUP_READ = 0o040;

/**
 * @typedef {object} LogFiles
 * @property {string[]} include globs for the agent
 * @property {string[]} exclude
 * @property {{path: string, bytes: number}[]} readable largest first; empty files among them
 * @property {{path: string, advice: string}[]} unreadable files and folders
 * @property {string[]} binary matched by `include`, and not text
 */

/**
 * Looks at this machine's logs, or at the paths that were asked for.
 *
 * @param {string[]} paths absolute files and folders; empty for this machine's logs
 * @param {string} stateDir never shipped: the collector's log of itself would feed on itself
 * @returns {LogFiles}
 */
export function findLogFiles(paths, stateDir) {
  const isMachine = paths.length === 0;
  const found = { readable: [], unreadable: [], binary: [] };
  const include = isMachine
    ? [`${LOG_FOLDER}/**/*.log`, `${LOG_FOLDER}/{${PLAIN_NAMES.join(",")}}`]
    : paths.map((path) => escapeGlob(path) + (isFolder(path) ? "/**/*" : ""));
  const isWanted = isMachine
    ? (path) =>
        path.endsWith(".log") || PLAIN_NAMES.some((name) => path === `${LOG_FOLDER}/${name}`)
    : () => true;
  const isExcluded = (path) => path === stateDir || (isMachine && path === JOURNAL);
  for (const path of isMachine ? [LOG_FOLDER] : paths) visit(path, isWanted, isExcluded, found);
  found.readable.sort((a, b) => b.bytes - a.bytes);
  return {
    ...found,
    include,
    exclude: [
      ...(isMachine ? [`${JOURNAL}/**`] : []),
      `${escapeGlob(stateDir)}/**`,
      ...found.binary.map(escapeGlob),
    ],
  };
}

/** A path as a glob that matches it alone. */
export function escapeGlob(path) {
  return path.replaceAll(/[\\*?[\]{}()!@+|]/g, "\\$&");
}

function isFolder(path) {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function visit(path, isWanted, isExcluded, found) {
  if (isExcluded(path)) return;
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      for (const name of readdirSync(path).sort()) {
        visit(join(path, name), isWanted, isExcluded, found);
      }
    } else if (stat?.isFile() && isWanted(path) && !COMPRESSED.test(path)) {
      const kind = looksBinary(path) ? found.binary : found.readable;
      kind.push(kind === found.binary ? path : { path, bytes: stat.size });
    }
  } catch (error) {
    if (error.code === "ENOENT") return; // rotated away while we looked
    found.unreadable.push({ path, advice: adviceFor(path, error) });
  }
}

/** Text has no NUL in its first block. */
function looksBinary(path) {
  const fd = openSync(path, "r");
  try {
    const block = Buffer.alloc(PROBE_BYTES);
    return block.subarray(0, readSync(fd, block)).includes(0);
  } finally {
    closeSync(fd);
  }
}

/** Joining the group that may read is better than running as root, where there is such a group. */
function adviceFor(path, error) {
  if (error.code !== "EACCES" && error.code !== "EPERM") return error.message;
  const { mode, gid } = statSync(path);
  const group = groupName(gid);
  return mode & GROUP_READ && gid !== 0 && group !== undefined
    ? `sudo usermod -aG ${group} ${userInfo().username}, then log in again`
    : `sudo setfacl -m u:${userInfo().username}:rX "${path}"`;
}

function groupName(gid) {
  try {
    const row = readFileSync("/etc/group", "utf8")
      .split("\n")
      .find((line) => line.split(":")[2] === String(gid));
    return row?.split(":")[0];
  } catch {
    return undefined;
  }
}
