import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { BALLAST_NAME } from "@sluice/store";

/** Bytes of every file under a folder that counts: all but a collector's ballast, which holds nothing. */
export async function folderBytes(
  folder: string,
  counts: (name: string) => boolean = () => true,
): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name !== BALLAST_NAME && counts(entry.name)) {
      bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
  }
  return bytes;
}
