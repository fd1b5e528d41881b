import { readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { inodeKey } from "./identity.ts";
import { statPath, systemCode } from "./open-file.ts";
import type { FileStat } from "./open-file.ts";
import { rotationSuffix, sortOldestFirst } from "./rotation.ts";
import type { RotatedFile } from "./rotation.ts";

/** A file in the folder of a log: a rotated sibling, or the log itself. */
export interface SurveyedFile {
  readonly path: string;
  readonly stat: FileStat;
}

/** The folder may be renamed under our hands; it is looked at until two looks agree. */
const MAX_LOOKS = 8;

/**
 * The rotated siblings of `path`, the oldest first, then the file at `path` where there is one.
 * For a symbolic link, siblings of what it points to count as well.
 */
export function survey(path: string): readonly SurveyedFile[] {
  let last = look(path);
  for (let looks = 1; looks < MAX_LOOKS; looks += 1) {
    const next = look(path);
    if (isSame(last, next)) break;
    last = next;
  }
  return last;
}

function look(path: string): readonly SurveyedFile[] {
  const siblings = new Map<string, RotatedFile & SurveyedFile>();
  for (const base of new Set([path, resolve(path)])) {
    for (const name of namesIn(dirname(base))) {
      const suffix = rotationSuffix(basename(base), name);
      if (suffix === undefined || suffix.compression !== undefined) continue;
      const sibling = join(dirname(base), name);
      const stat = statOrNothing(sibling);
      if (stat?.type !== "file") continue;
      siblings.set(inodeKey(stat), { path: sibling, stat, suffix, mtimeNs: stat.mtimeNs });
    }
  }
  const current = statOrNothing(path);
  const rotated: SurveyedFile[] = sortOldestFirst([...siblings.values()]);
  return current?.type === "file" ? [...rotated, { path, stat: current }] : rotated;
}

function isSame(a: readonly SurveyedFile[], b: readonly SurveyedFile[]): boolean {
  return (
    a.length === b.length &&
    a.every((file, index) => {
      const other = b[index];
      return file.path === other?.path && inodeKey(file.stat) === inodeKey(other.stat);
    })
  );
}

function resolve(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return path;
  }
}

/** Empty where the folder cannot be listed: the finder reports that, a survey goes by what it sees. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

function statOrNothing(path: string): FileStat | undefined {
  try {
    return statPath(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
