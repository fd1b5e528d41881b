import { Archive } from "./archive.ts";
import { isBeingWritten } from "./archive-finding.ts";
import type { TailClock } from "../file-source-options.ts";
import type { Generation } from "../generation.ts";
import type { FilePosition } from "../identity.ts";
import type { InflateStop } from "./inflater.ts";
import type { FileStat, OpenFile } from "../open-file.ts";

export type ArchiveOutcome =
  /** `length` > 0 bytes up to `position`. */
  | { readonly length: number; readonly position: FilePosition }
  | "end"
  /** It ends too early and may still be written to. */
  | "unfinished"
  /** It does not hold what was before the position asked for. */
  | "elsewhere"
  | "corrupt";

/** Reads what a generation's file held from an archive of it. One call at a time. */
export class ArchiveReader {
  readonly file: OpenFile;
  readonly #clock: TailClock;
  readonly #archive: Archive;
  /** How the file was when it ended too early. */
  #cutAt: FileStat | undefined;
  /** The position that the content was last compared at, or read to. */
  #verified: number | undefined;

  constructor({ format }: Generation, file: OpenFile, clock: TailClock) {
    if (format === undefined) throw new Error("not an archive");
    this.file = file;
    this.#clock = clock;
    this.#archive = new Archive(file, format);
  }

  get aheadBytes(): number {
    return this.#archive.aheadBytes;
  }

  /** From any position: to an earlier one than before, all in front of it is inflated again. */
  async read(position: FilePosition, target: Uint8Array): Promise<ArchiveOutcome> {
    if (this.#cutAt !== undefined && this.hasNews()) {
      this.#cutAt = undefined;
      this.#archive.rewind();
    }
    if (this.#verified !== position.offset || this.#archive.offset !== position.offset) {
      const reached = await this.#archive.moveTo(position.offset);
      if (reached !== "there") return reached === "end" ? "elsewhere" : this.#stop(reached);
      if (!this.#archive.answersTo(position)) return "elsewhere";
    }
    const got = await this.#archive.read(target);
    if (typeof got !== "number") return this.#stop(got);
    const { offset } = this.#archive;
    this.#verified = offset;
    const after = this.#archive.positionAt(offset);
    if (after === undefined) throw new Error("the newest bytes are kept");
    return { length: got, position: after };
  }

  /** Positions before this one are not asked for again. */
  positionAt(offset: number): FilePosition | undefined {
    this.#archive.forgetBefore(offset);
    return this.#archive.positionAt(offset);
  }

  /** False while it ends too early and nothing has changed about that. */
  hasNews(): boolean {
    if (this.#cutAt === undefined) return true;
    const stat = this.file.stat();
    const isSame = stat.sizeBytes === this.#cutAt.sizeBytes && stat.mtimeNs === this.#cutAt.mtimeNs;
    return !isSame || !isBeingWritten(stat, this.#clock.wallMs());
  }

  close(): void {
    this.#archive.close();
  }

  #stop(stop: InflateStop): "end" | "unfinished" | "corrupt" {
    if (stop !== "cut") return stop;
    const stat = this.file.stat();
    if (!isBeingWritten(stat, this.#clock.wallMs())) return "corrupt";
    this.#cutAt = stat;
    return "unfinished";
  }
}
