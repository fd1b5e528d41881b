import { readdir } from "node:fs";
import type { Dirent } from "node:fs";
import { isAbsolute } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import type { RefusedReason, TailEvent } from "./event.ts";
import { inodeKey } from "./identity.ts";
import { statPath, systemCode } from "./open-file.ts";
import type { FileStat } from "./open-file.ts";
import { isCompressed } from "./rotation.ts";

/** Of a path as a JSON string, which is how a stream is named: PATH_MAX, escapes counted. */
const MAX_SOURCE_BYTES = 4096;
/** The longest escape of one UTF-16 unit: `\u001b`. */
const MOST_ESCAPED = 6;

/** What Node puts in the place of bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

export interface FoundFile {
  readonly path: string;
  readonly stat: FileStat;
}

/** Finds the files that include patterns match and exclude patterns do not. */
export class Finder {
  readonly #plain: readonly string[];
  readonly #patterns: readonly string[];
  readonly #exclude: readonly string[];
  readonly #report: PathReports;

  /** Throws a RangeError for a relative pattern. */
  constructor(include: readonly string[], exclude: readonly string[], report: PathReports) {
    for (const pattern of [...include, ...exclude]) {
      if (!isAbsolute(pattern)) throw new RangeError(`glob "${pattern}" is not an absolute path`);
    }
    this.#plain = include.filter((pattern) => !isDynamicPattern(pattern));
    this.#patterns = include.filter((pattern) => isDynamicPattern(pattern));
    this.#exclude = exclude;
    this.#report = report;
  }

  /** Regular files, each once, by path. Symbolic links count as what they point to. */
  async find(): Promise<FoundFile[]> {
    const paths = new Set([...(await this.#plainPaths()), ...(await this.#walk())]);
    const byInode = new Map<string, FoundFile>();
    for (const path of [...paths].toSorted()) {
      const stat = this.#inspect(path);
      // A second name for the same file (a link) would ship its lines twice: the first name wins.
      if (stat !== undefined && !byInode.has(inodeKey(stat))) {
        byInode.set(inodeKey(stat), { path, stat });
      }
    }
    return [...byInode.values()];
  }

  /** Patterns without magic need no walk, unless an exclude pattern must have its say. */
  async #plainPaths(): Promise<readonly string[]> {
    if (this.#exclude.length === 0) return this.#plain;
    const present = this.#plain.filter((path) => this.#inspect(path) !== undefined);
    return present.length === 0 ? [] : this.#glob(present);
  }

  async #walk(): Promise<readonly string[]> {
    return this.#patterns.length === 0 ? [] : this.#glob(this.#patterns);
  }

  #glob(patterns: readonly string[]): Promise<string[]> {
    return glob(patterns, {
      cwd: "/",
      absolute: true,
      dot: true,
      expandDirectories: false,
      ignore: [...this.#exclude],
      onlyFiles: true,
      fs: { readdir: this.#readdir as typeof readdir },
    });
  }

  /** The walker skips folders that it cannot list; here they are reported on the way. */
  readonly #readdir = (
    path: string,
    options: { withFileTypes: true },
    done: (error: NodeJS.ErrnoException | null, entries: Dirent[]) => void,
  ): void => {
    readdir(path, options, (error, entries) => {
      const folder = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
      if (error === null) this.#report.readable(folder);
      else this.#report.unreadable(folder, error);
      done(error, entries);
    });
  };

  #inspect(path: string): FileStat | undefined {
    try {
      const stat = statPath(path);
      if (stat === undefined) return this.#report.missing(path);
      if (stat.type === "folder") return undefined;
      if (isTooLong(path)) return this.#report.refused(path, "long-name");
      if (stat.type !== "file") return this.#report.refused(path, stat.type);
      return isCompressed(path) ? this.#report.refused(path, "compressed") : stat;
    } catch (error) {
      return this.#report.unreadable(path, error);
    }
  }
}

function isTooLong(path: string): boolean {
  return (
    path.length > MAX_SOURCE_BYTES / MOST_ESCAPED - 1 &&
    Buffer.byteLength(JSON.stringify(path)) > MAX_SOURCE_BYTES
  );
}

/** Says once of each path that it cannot be read, and once that it can be again. */
export class PathReports {
  readonly #emit: (event: TailEvent) => void;
  readonly #unreadable = new Map<string, string>();
  readonly #refused = new Map<string, RefusedReason>();

  constructor(emit: (event: TailEvent) => void) {
    this.#emit = emit;
  }

  /** Throws what is not a system error. A path that vanished is no news. */
  unreadable(path: string, error: unknown): undefined {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code === "ENOENT" || code === "ENOTDIR") return this.missing(path);
    if (this.#unreadable.get(path) === code) return;
    this.#unreadable.set(path, code);
    this.#emit({ kind: "unreadable", path, code });
  }

  /** It was listed: either it vanished meanwhile, or the listing could not spell it. */
  missing(path: string): undefined {
    if (path.includes(REPLACEMENT)) this.refused(path, "not-utf8");
  }

  readable(path: string): void {
    if (this.#refused.get(path) === "outside-roots") this.#refused.delete(path);
    if (this.#unreadable.delete(path)) this.#emit({ kind: "readable", path });
  }

  refused(path: string, reason: RefusedReason, leadsTo?: string): undefined {
    if (this.#refused.has(path)) return;
    this.#refused.set(path, reason);
    this.#emit({ kind: "refused", path, reason, ...(leadsTo !== undefined && { leadsTo }) });
  }
}
