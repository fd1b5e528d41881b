import { randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";

const SEGMENTS = "segments";
const QUARANTINE = "quarantine";

/** A place for a new segment, relative to data_dir. All of its parts are made by Sluice; none came in from outside. */
export function newSegmentPath(partition: string, day: string): string {
  return `${SEGMENTS}/${partition}/${day}/${randomUUID()}.db`;
}

/** Paths of all segment files, relative to data_dir; unfinished ones end in `.tmp`. */
export function listSegmentFiles(dataDir: string): string[] {
  const root = join(dataDir, SEGMENTS);
  if (!existsSync(root)) {
    return [];
  }
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dataDir, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** Whether a file has not got its name yet, or belongs to one that has not. */
export function isUnfinished(path: string): boolean {
  return /\.tmp(-[a-z]+)?$/.test(path);
}

/**
 * Makes the folder of a segment, and its name and its parents' last. Also where they are there already:
 * who made them may have been killed before they were synced.
 */
export function makeSegmentFolder(dataDir: string, path: string): void {
  const folder = dirname(join(dataDir, path));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let made = folder; made !== dataDir; made = dirname(made)) {
    syncFolder(dirname(made));
  }
}

/** Gives a complete file its name, for good: the file, then its name, are synced. */
export function publishSegment(dataDir: string, path: string): void {
  const file = join(dataDir, path);
  syncFile(`${file}.tmp`);
  renameSync(`${file}.tmp`, file);
  syncFolder(dirname(file));
}

/** Removes what was written of a segment that is not to be. */
export function discardSegment(dataDir: string, path: string): void {
  rmSync(`${join(dataDir, path)}.tmp`, { force: true });
}

/** Unlinks a segment; one that is gone already is fine. */
export function unlinkSegment(dataDir: string, path: string): void {
  rmSync(join(dataDir, path), { force: true });
}

/** Moves a file that the manifest does not know out of the way. Returns where to, relative to data_dir. */
export function quarantine(dataDir: string, path: string): string {
  const named = `${QUARANTINE}/${path.replaceAll("/", "_")}`;
  // It may have been put there before, and been restored with an older backup since.
  const place = existsSync(join(dataDir, named)) ? `${named}.${randomUUID()}` : named;
  mkdirSync(join(dataDir, QUARANTINE), { recursive: true, mode: 0o700 });
  renameSync(join(dataDir, path), join(dataDir, place));
  syncFolder(join(dataDir, QUARANTINE));
  syncFolder(dirname(join(dataDir, path)));
  return place;
}

/** A second name in quarantine for a segment that is damaged in part, before it is written anew without that part. */
export function keepCopy(dataDir: string, path: string): string {
  const place = `${QUARANTINE}/${path.replaceAll("/", "_")}`;
  mkdirSync(join(dataDir, QUARANTINE), { recursive: true, mode: 0o700 });
  if (!existsSync(join(dataDir, place))) {
    linkSync(join(dataDir, path), join(dataDir, place));
    syncFolder(join(dataDir, QUARANTINE));
  }
  return place;
}

export function syncFile(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
