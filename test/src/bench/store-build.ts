import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Names the code that writes a store: a corpus that another build has written may be laid out
 * otherwise. What only searches does not count.
 */
export function storeBuild(): string {
  const folder = fileURLToPath(new URL(".", import.meta.resolve("@sluice/store")));
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(folder, path).startsWith(`search${sep}`));
  for (const path of files.toSorted()) {
    hash.update(relative(folder, path)).update(readFileSync(path));
  }
  return hash.digest("hex").slice(0, 16);
}
