import { readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { inodeKey } from "./identity.ts";
import { statPath, systemCode } from "./open-file.ts";
import type { FileStat } from "./open-file.ts";
import { rotationBases, rotationSuffix, sortOldestFirst } from "./rotation.ts";
import type { RotatedFile } from "./rotation.ts";

/** A file in the folder of a log: a rotated sibling, or the log itself. */
export interface SurveyedFile {
  readonly path: string;
  readonly stat: FileStat;
}

/** The folder may be renamed under our hands; it is looked at until two looks agree. */
const MAX_LOOKS = 8;
/** Two changes within a tick of the file clock leave the same time on a folder. */
const CLOCK_TICK_MS = 20;

interface Listing {
  readonly mtimeNs: bigint;
  /** Names of rotated files by the names that they may be siblings of. */
  readonly siblings: ReadonlyMap<string, readonly string[]>;
}

/** Looks for rotated files. Listings of folders that are at rest are kept until `forget`. */
export class Surveyor {
  readonly #wallMs: () => number;
  readonly #listings = new Map<string, Listing>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  forget(): void {
    this.#listings.clear();
  }

  /**
   * The rotated siblings of `path`, the oldest first, then the file at `path` where there is one.
   * For a symbolic link, siblings of what it points to count as well.
   */
  survey(path: string): readonly SurveyedFile[] {
    let last = this.#look(path);
    for (let looks = 1; looks < MAX_LOOKS; looks += 1) {
      const next = this.#look(path);
      if (isSame(last, next)) break;
      last = next;
    }
    return last;
  }

  #look(path: string): readonly SurveyedFile[] {
    const siblings = new Map<string, RotatedFile & SurveyedFile>();
    for (const base of new Set([path, resolve(path)])) {
      const [folder, baseName] = [dirname(base), basename(base)];
      for (const name of this.#list(folder).get(baseName) ?? []) {
        const suffix = rotationSuffix(baseName, name);
        if (suffix === undefined || suffix.compression !== undefined) continue;
        const sibling = join(folder, name);
        const stat = quietly(() => statPath(sibling));
        if (stat?.type !== "file") continue;
        siblings.set(inodeKey(stat), { path: sibling, stat, suffix, mtimeNs: stat.mtimeNs });
      }
    }
    const current = quietly(() => statPath(path));
    // A link may lead to a file that is named like a sibling of its own.
    if (current !== undefined) siblings.delete(inodeKey(current));
    const rotated: SurveyedFile[] = sortOldestFirst([...siblings.values()]);
    return current?.type === "file" ? [...rotated, { path, stat: current }] : rotated;
  }

  #list(folder: string): Listing["siblings"] {
    const mtimeNs = quietly(() => statPath(folder))?.mtimeNs ?? 0n;
    const known = this.#listings.get(folder);
    if (known !== undefined && known.mtimeNs === mtimeNs) return known.siblings;
    const siblings = new Map<string, string[]>();
    // A folder that cannot be listed is the finder's to report; here it has no siblings to show.
    for (const name of quietly(() => readdirSync(folder)) ?? []) {
      for (const base of rotationBases(name)) {
        const names = siblings.get(base);
        if (names === undefined) siblings.set(base, [name]);
        else names.push(name);
      }
    }
    const isAtRest = Number(mtimeNs / 1_000_000n) < this.#wallMs() - CLOCK_TICK_MS;
    if (isAtRest) this.#listings.set(folder, { mtimeNs, siblings });
    else this.#listings.delete(folder);
    return siblings;
  }
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
  return quietly(() => realpathSync(path)) ?? path;
}

/** Undefined for a system error: a survey goes by what it can see. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
