import { readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { inodeKey } from "./identity.ts";
import { statPath, systemCode } from "./open-file.ts";
import type { FileStat } from "./open-file.ts";
import { isCompressed, rotationBases, rotationSuffix, sortOldestFirst } from "./rotation.ts";
import type { ArchiveFormat, RotatedFile } from "./rotation.ts";

/** A file in the folder of a log: a rotated sibling, or the log itself. */
export interface SurveyedFile {
  readonly path: string;
  readonly stat: FileStat;
  /** How a rotated sibling is compressed. */
  readonly format?: ArchiveFormat | undefined;
}

export interface ArchiveFile extends SurveyedFile {
  readonly format: ArchiveFormat;
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
  /** Write times of the folders when they were last asked for archives. */
  readonly #askedAtNs = new Map<string, bigint>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  forget(): void {
    this.#listings.clear();
  }

  withNewArchives(paths: readonly string[]): string[] {
    const byFolder = Map.groupBy(paths, dirname);
    return [...byFolder].flatMap(([folder, inFolder]) => {
      const mtimeNs = quietly(() => statPath(folder))?.mtimeNs ?? 0n;
      if (this.#askedAtNs.get(folder) === mtimeNs) return [];
      const siblings = this.#list(folder);
      if (this.#isAtRest(mtimeNs)) this.#askedAtNs.set(folder, mtimeNs);
      return inFolder.filter((path) => siblings.get(basename(path))?.some(isCompressed));
    });
  }

  /**
   * The rotated siblings of `path`, compressed ones among them, the oldest first, then the file at
   * `path` where there is one.
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
        if (suffix === undefined) continue;
        const format = suffix.compression;
        if (format === "xz" || format === "bz2") continue;
        const sibling = join(folder, name);
        const stat = quietly(() => statPath(sibling));
        if (stat?.type !== "file") continue;
        siblings.set(inodeKey(stat), {
          path: sibling,
          stat,
          format,
          suffix,
          mtimeNs: stat.mtimeNs,
        });
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
    if (this.#isAtRest(mtimeNs)) this.#listings.set(folder, { mtimeNs, siblings });
    else this.#listings.delete(folder);
    return siblings;
  }

  #isAtRest(mtimeNs: bigint): boolean {
    return Number(mtimeNs / 1_000_000n) < this.#wallMs() - CLOCK_TICK_MS;
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
  return quietly(() => realpathSync.native(path)) ?? path;
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
