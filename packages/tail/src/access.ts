import { closeSync, constants, openSync, readlinkSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import picomatch from "picomatch";
import type { RefusedReason } from "./event.ts";
import { inodeKey } from "./identity.ts";
import { OpenFile, statPath, systemCode } from "./open-file.ts";
import { rotationBases } from "./rotation.ts";

/** As many as Linux itself follows in one path. */
const MAX_LINKS = 40;
/** Linux's O_PATH, which Node has no name for: a folder is entered, not listed, so `x` is enough. */
const O_PATH = 0o10000000;
const ENTER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** What the program that reads writes itself: reading that would never end. */
export interface OwnFiles {
  /** Nothing below these is read. Absolute. */
  readonly folders: readonly string[];
  /** Files that are not read, nor their rotated siblings. */
  readonly files: readonly { readonly dev: bigint; readonly ino: bigint }[];
}

/** A file that exists and is not read, whoever asks for it. */
export class Refusal extends Error {
  readonly reason: RefusedReason;
  /** The file that the path leads to. */
  readonly leadsTo: string;

  constructor(reason: RefusedReason, leadsTo: string) {
    super(`${leadsTo} is refused: ${reason}`);
    this.reason = reason;
    this.leadsTo = leadsTo;
  }
}

/** The folders that globs are rooted in: their parts in front of any magic. */
export function globRoots(globs: readonly string[]): string[] {
  return globs.map((glob) => {
    const { base, isGlob } = picomatch.scan(glob);
    return isGlob ? base || "/" : dirname(glob);
  });
}

/** Opens log files, and only such that lie inside the allowed folders. */
export class Access {
  readonly #roots: readonly string[];
  readonly #ownFolders: readonly string[];
  readonly #ownFiles: ReadonlySet<string>;

  /** @param roots absolute paths of folders */
  constructor(roots: readonly string[], own: OwnFiles = { folders: [], files: [] }) {
    this.#roots = roots;
    this.#ownFolders = own.folders;
    this.#ownFiles = new Set(own.files.map(inodeKey));
  }

  /**
   * Links are followed, each to where it leads at that moment. Throws a {@link Refusal}, or the
   * system's error.
   */
  open(path: string): OpenFile {
    const file = process.platform === "linux" ? this.#walk(path) : this.#openAt(realpathSync(path));
    if (this.#isOwn(path, file)) {
      file.close();
      throw new Refusal("own-log", path);
    }
    return file;
  }

  /**
   * Enters one folder after the other, each by the descriptor of the one before, and follows no
   * link but by reading it: a link that takes a folder's or the file's place between a look and the
   * opening is an error, and never followed to where nobody looked.
   */
  #walk(path: string): OpenFile {
    const folders: { readonly name: string; readonly fd: number }[] = [];
    const leave = (): void => closeSync((folders.pop() as { fd: number }).fd);
    const ahead = componentsOf(path);
    let links = 0;
    try {
      folders.push({ name: "", fd: openSync("/", ENTER) });
      for (;;) {
        const name = ahead.shift();
        const folder = folders.at(-1);
        if (name === undefined || folder === undefined) throw systemError("EISDIR", path);
        if (name === "..") {
          if (folders.length > 1) leave();
          continue;
        }
        const at = `/proc/self/fd/${folder.fd}/${name}`;
        const real = `${folders.map((each) => each.name).join("/")}/${name}`;
        try {
          if (ahead.length === 0) return this.#openAt(real, at);
          folders.push({ name, fd: openSync(at, ENTER) });
        } catch (error) {
          const code = systemCode(error);
          // ENOTDIR for a link where a folder was expected, ELOOP where a file was.
          const target = code === "ENOTDIR" || code === "ELOOP" ? linkAt(at) : undefined;
          if (target === undefined) throw error;
          links += 1;
          if (links > MAX_LINKS) throw systemError("ELOOP", path);
          if (target.startsWith("/")) while (folders.length > 1) leave();
          ahead.unshift(...componentsOf(target));
        }
      }
    } finally {
      while (folders.length > 0) leave();
    }
  }

  /** @param real a path without links, as far as anybody can tell */
  #openAt(real: string, at = real): OpenFile {
    const reason = this.#ownFolders.some((folder) => isInside(real, folder))
      ? "own-log"
      : this.#roots.some((root) => isInside(real, root))
        ? undefined
        : "outside-roots";
    if (reason === undefined) return OpenFile.open(at);
    throw linkAt(at) === undefined ? new Refusal(reason, real) : systemError("ELOOP", real);
  }

  #isOwn(path: string, file: OpenFile): boolean {
    if (this.#ownFiles.size === 0) return false;
    if (this.#ownFiles.has(inodeKey(file.stat()))) return true;
    return rotationBases(path).some((base) => {
      const stat = statPath(base);
      return stat !== undefined && this.#ownFiles.has(inodeKey(stat));
    });
  }
}

/** The folder itself may be reached by a link: the configuration names it, so that one is trusted. */
function isInside(real: string, folder: string): boolean {
  return isBelow(real, folder) || isBelow(real, realOf(folder));
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function realOf(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return folder;
  }
}

function componentsOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** Undefined where there is no link. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
