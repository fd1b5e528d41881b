import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file so that a crash or a power loss leaves the old or the new content, never a mix:
 * write beside it, fsync, rename, fsync the folder. Where an owner is given, the file gets it and
 * exactly the mode.
 */
export async function replaceFile(
  path: string,
  content: string,
  mode = 0o600,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w", mode);
  try {
    if (owner !== undefined) {
      await file.chown(owner.uid, owner.gid);
      await file.chmod(mode); // whatever the umask is
    }
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
