import picomatch from "picomatch";
import { Finder, PathReports } from "./finder.ts";

export interface Match {
  /** Regular files, each once. */
  readonly paths: readonly string[];
  /** Files and folders that may not be looked at. */
  readonly unreadable: readonly string[];
}

/** The files that a source of these globs would find, without reading them. Throws for relative globs. */
export async function matchFiles(
  include: readonly string[],
  exclude: readonly string[],
): Promise<Match> {
  const unreadable: string[] = [];
  const reports = new PathReports((event) => {
    if (event.kind === "unreadable") unreadable.push(event.path);
  });
  const found = await new Finder(include, exclude, reports).find();
  return { paths: found.map(({ path }) => path), unreadable };
}

/** Whether a source of these globs would read a file at this path. */
export function coversPath(
  include: readonly string[],
  exclude: readonly string[],
  path: string,
): boolean {
  return picomatch([...include], { dot: true, ignore: [...exclude] })(path);
}
