import { Archive } from "./archive.ts";
import { HEAD_BYTES } from "../fingerprint.ts";
import type { Generation } from "../generation.ts";
import type { FilePosition } from "../identity.ts";
import type { InflateStop } from "./inflater.ts";
import type { FileStat, OpenFile } from "../open-file.ts";
import type { ArchiveFile } from "../survey.ts";

const READ_BYTES = 64 * 1024;
/** A compressed file that ends too early and was written to within that is still being written. */
const UNFINISHED_MS = 60_000;

/** What a generation's archive has to hold. */
interface Mark {
  readonly generation: Generation;
  readonly position: FilePosition;
}

export function isBeingWritten({ mtimeNs }: FileStat, wallMs: number): boolean {
  return wallMs - Number(mtimeNs / 1_000_000n) < UNFINISHED_MS;
}

/** What a compressed sibling was found to hold, held against the generations of its log. */
export class ArchiveFinding implements Disposable {
  readonly archive: ArchiveFile;
  readonly file: OpenFile;
  readonly content: Archive;
  readonly #signal: AbortSignal;
  readonly #target = new Uint8Array(READ_BYTES);
  /** How far it is the same as each generation; no entry where it is not. */
  readonly #agreesTo = new Map<Generation, number>();
  #stop: InflateStop | undefined;
  /** The file was handed on to who reads it. */
  isKept = false;

  constructor(archive: ArchiveFile, file: OpenFile, signal: AbortSignal) {
    this.#signal = signal;
    this.archive = archive;
    this.file = file;
    this.content = new Archive(file, archive.format);
  }

  /** Inflates as far as something is known of the generations that it may be of. */
  async compare(generations: Iterable<Generation>): Promise<void> {
    // Within the head every position can be asked for afterwards.
    await this.#inflateTo(HEAD_BYTES, 0);
    const { content } = this;
    const candidates = [...generations].filter(({ identity: { head } }) =>
      content.head.length < head.length ? this.#stop !== undefined : content.beginsWith(head),
    );
    for (const generation of candidates) {
      const hasHead = content.head.length >= generation.identity.head.length;
      this.#agreesTo.set(generation, hasHead ? generation.identity.head.length : 0);
    }
    for (const { generation, position } of marksOf(candidates)) {
      const agreesTo = this.#agreesTo.get(generation);
      if (agreesTo === undefined) continue;
      await this.#inflateTo(position.offset);
      if (position.offset > content.offset) break;
      if (!content.answersTo(position)) this.#agreesTo.delete(generation);
      else this.#agreesTo.set(generation, Math.max(agreesTo, position.offset));
    }
    // What ends within the head has to show something else that is known.
    for (const [generation, bytes] of this.#agreesTo) {
      const isShort = content.head.length < generation.identity.head.length;
      if (isShort && bytes === 0 && content.offset > 0) this.#agreesTo.delete(generation);
    }
  }

  /** It holds what was read of the generation, and the rest. */
  continues(generation: Generation): boolean {
    const { identity, position, wasSeen } = generation;
    const hasHead = this.content.head.length >= identity.head.length;
    // More of a small file may have been seen than was copied of it; then the anchor must do.
    const isShorterCopy = wasSeen && position.offset > 0;
    return (hasHead || isShorterCopy) && (this.#agreesTo.get(generation) ?? -1) >= position.offset;
  }

  /** No other generation has more in common with it. */
  isClosest(generation: Generation): boolean {
    const agreesTo = this.#agreesTo.get(generation) ?? -1;
    return [...this.#agreesTo.values()].every((other) => other <= agreesTo);
  }

  /** Generations that nothing known of speaks against, with the bytes that speak for each. */
  get kin(): ReadonlyMap<Generation, number> {
    return this.#agreesTo;
  }

  /** Inflates all of it; the length of its content, as far as that is whole. */
  async measure(): Promise<number> {
    await this.#inflateTo(Infinity);
    return this.content.offset;
  }

  /** Whether it ends too early because it is still being written. */
  isUnfinished(wallMs: number): boolean {
    return this.#stop === "cut" && isBeingWritten(this.file.stat(), wallMs);
  }

  [Symbol.dispose](): void {
    this.content.close();
    if (!this.isKept) this.file.close();
  }

  async #inflateTo(offset: number, keepFrom?: number): Promise<void> {
    const { content } = this;
    while (this.#stop === undefined && content.offset < offset) {
      content.forgetBefore(keepFrom ?? content.offset);
      const wantedBytes = Math.min(offset - content.offset, READ_BYTES);
      this.#signal.throwIfAborted();
      const got = await content.read(this.#target.subarray(0, wantedBytes));
      if (typeof got !== "number") this.#stop = got;
    }
  }
}

/** By rising offset. */
function marksOf(generations: readonly Generation[]): Mark[] {
  return generations
    .flatMap((generation) => generation.marks.map((position) => ({ generation, position })))
    .toSorted((a, b) => a.position.offset - b.position.offset);
}
