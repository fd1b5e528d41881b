import { DictionaryCache } from "./dictionary-cache.ts";
import { SegmentFile } from "./segment-file.ts";

/** An open takes 0.34 ms cold, and about 200 KB while it lasts. */
const OPEN_SEGMENTS = 256;

/** The segments that were used last, open. One connection a thread. */
export class SegmentCache implements Disposable {
  readonly #dataDir: string;
  readonly #open = new Map<string, SegmentFile>();
  readonly #dictionaries = new DictionaryCache();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /**
   * Stays open at least until as many others have been asked for.
   *
   * @throws SegmentError
   */
  get(path: string): SegmentFile {
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    const opened = SegmentFile.open(this.#dataDir, path, this.#dictionaries);
    this.#open.set(path, opened);
    for (const [oldest, file] of this.#open) {
      if (this.#open.size <= OPEN_SEGMENTS) {
        break;
      }
      file[Symbol.dispose]();
      this.#open.delete(oldest);
    }
    return opened;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Closes those that the manifest no longer lists, so that their space comes back. */
  retain(paths: ReadonlySet<string>): void {
    for (const [path, file] of this.#open) {
      if (!paths.has(path)) {
        file[Symbol.dispose]();
        this.#open.delete(path);
      }
    }
  }

  [Symbol.dispose](): void {
    this.retain(new Set());
  }
}
