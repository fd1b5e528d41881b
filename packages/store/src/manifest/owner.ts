import { chownSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Gives what root has just made to the one whose data it is, as SQLite does with its own files: the
 * collector runs as another user, and could not use it. Does nothing for any other user.
 *
 * @param model a file or folder of the right owner
 */
export function giveToOwnerOf(model: string, path: string): void {
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(model);
    give(path, uid, gid);
  }
}

function give(path: string, uid: number, gid: number): void {
  const stat = statSync(path);
  if (stat.uid !== uid || stat.gid !== gid) {
    chownSync(path, uid, gid);
  }
  if (stat.isDirectory()) {
    readdirSync(path).forEach((name) => give(join(path, name), uid, gid));
  }
}
