import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Bytes of every file under a folder that counts; every file does by default. */
export async function folderBytes(
  folder: string,
  counts: (name: string) => boolean = () => true,
): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && counts(entry.name)) {
      bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
  }
  return bytes;
}
