import { mkdirSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { doctorProblems } from "./store-look.ts";

/** Examines the backups of a worker and removes them; one that is there must be whole, and none unfinished. */
export async function lookAtBackups(
  dataDir: string,
): Promise<{ readonly paths: readonly string[]; readonly problems: readonly string[] }> {
  const folder = backupDirOf(dataDir);
  mkdirSync(folder, { recursive: true });
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const problems: string[] = [];
  for (const path of paths) {
    problems.push(
      ...(path.includes(".partial-") ? [`an orphan: ${path}`] : await doctorProblems(path)),
    );
    await rm(path, { recursive: true });
  }
  return { paths, problems };
}

/** Where a worker makes its backups. */
export function backupDirOf(dataDir: string): string {
  return `${dataDir}-backups`;
}
