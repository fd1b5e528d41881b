import picomatch from "picomatch";
import type { RefusedReason } from "./event.ts";
import { Finder, PathReports } from "./finder.ts";

export interface Match {
  /** Regular files, each once. */
  readonly paths: readonly string[];
  /** Files and folders that may not be looked at. */
  readonly unreadable: readonly string[];
  /** Logs that are not read for their names. */
  readonly misnamed: readonly string[];
}

/** The files that a source of these globs would find, without reading them. Throws for relative globs. */
export async function matchFiles(
  include: readonly string[],
  exclude: readonly string[],
): Promise<Match> {
  const unreadable: string[] = [];
  const misnamed: string[] = [];
  const reports = new PathReports((event) => {
    if (event.kind === "unreadable") unreadable.push(event.path);
    if (event.kind === "refused" && isMisnamed(event.reason)) misnamed.push(event.path);
  });
  const found = await new Finder(include, exclude, reports).find();
  return { paths: found.map(({ path }) => path), unreadable, misnamed };
}

/** Whether a file is refused for what it is called, not for what it is. */
export function isMisnamed(reason: RefusedReason): boolean {
  return reason === "not-utf8" || reason === "long-name";
}

/** Whether a source of these globs would read a file at this path. */
export function coversPath(
  include: readonly string[],
  exclude: readonly string[],
  path: string,
): boolean {
  return picomatch([...include], { dot: true, ignore: [...exclude] })(path);
}
