import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { syncFile, syncFolder } from "../manifest/segment-folder.ts";

/** Codes of a link that cannot be made where a copy can: another volume, a file system without links. */
const NO_LINK = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * Gives a file that never changes a second name on the same volume, else copies it; a copy is synced.
 * Returns whether it is a link. @throws what the file system says
 */
export function linkOrCopy(from: string, to: string): boolean {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (!NO_LINK.has((error as NodeJS.ErrnoException).code ?? "")) {
      throw error;
    }
  }
  copyOwn(from, to);
  return false;
}

/** Copies a file, readable by its owner alone, and syncs it. */
export function copyOwn(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  chmodSync(to, 0o600);
  syncFile(to);
}

/** Makes the names in a folder last, and those in all folders under it. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      syncTree(join(folder, entry.name));
    }
  }
  syncFolder(folder);
}

/** What of a data folder lets agents and people in: tokens, keys, certificates; relative to it. */
export function accessFiles(dataDir: string): string[] {
  return [
    ...filesIn(dataDir, "tokens", /\.token$/),
    ...filesIn(dataDir, "tls", /^[\w-]+\.(?:pem|key)$/),
    ...filesIn(dataDir, ".", /^keys\.json$/),
  ];
}

function filesIn(dataDir: string, folder: string, pattern: RegExp): string[] {
  const path = join(dataDir, folder);
  return existsSync(path)
    ? readdirSync(path)
        .filter((name) => pattern.test(name))
        .map((name) => (folder === "." ? name : `${folder}/${name}`))
    : [];
}
