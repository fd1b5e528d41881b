import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Path to what is there: its kind, owner, mode and, for what an installation may change, its content. */
export type FileList = ReadonlyMap<string, string>;

/** What the kernel shows there is nobody's. */
const NOT_FILES = new Set(["proc", "sys", "dev", "run", "tmp"]);

/**
 * dpkg's and useradd's own books, which every package writes into: the log, the database with its backups, and the
 * copy that is made of an account file before it is changed.
 */
const BOOKS = [
  /^var\/lib\/dpkg\/(status|status-old|diversions-old|statoverride-old|lock|triggers\/Lock|info)$/,
  /^var\/log\/(dpkg|lastlog|faillog|alternatives)/,
  /^etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/,
  /^etc\/\.pwd\.lock$/,
  /^var\/(lib\/dpkg|log|cache|cache\/ldconfig\/aux-cache)$/,
];

/** Everything under a root but for these books, with the content of what is under /etc and the accounts. */
export function listFiles(root: string): FileList {
  const found = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const name of readdirSync(join(root, folder))) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (NOT_FILES.has(path)) continue;
      const stat = lstatSync(join(root, path));
      if (!BOOKS.some((book) => book.test(path))) found.set(path, describe(root, path, stat));
      if (stat.isDirectory()) walk(path);
    }
  };
  walk("");
  return found;
}

function describe(root: string, path: string, stat: ReturnType<typeof lstatSync>): string {
  if (stat === undefined) return "gone";
  const owner = `${stat.uid}:${stat.gid} ${stat.mode.toString(8)}`;
  if (stat.isSymbolicLink()) return `link to ${readlinkSync(join(root, path))}`;
  if (stat.isDirectory()) return `folder ${owner}`;
  if (!stat.isFile()) return `special ${owner}`;
  const content = path.startsWith("etc/")
    ? createHash("sha256")
        .update(readFileSync(join(root, path)))
        .digest("hex")
    : stat.size;
  return `file ${owner} ${content}`;
}

/** Lines that say what differs, `+` for what is there only after. */
export function fileChanges(before: FileList, after: FileList): string[] {
  const changes: string[] = [];
  for (const [path, what] of after) {
    const was = before.get(path);
    if (was === undefined) changes.push(`+ /${path} (${what})`);
    else if (was !== what) changes.push(`~ /${path} (${was} -> ${what})`);
  }
  for (const path of before.keys()) if (!after.has(path)) changes.push(`- /${path}`);
  return changes.toSorted();
}
