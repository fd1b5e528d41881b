import { ANCHOR_BYTES, fingerprint, HEAD_BYTES } from "../fingerprint.ts";
import { isAnswer } from "../identity.ts";
import type { FilePosition, HeadPrint } from "../identity.ts";
import { Inflater } from "./inflater.ts";
import type { InflateStop } from "./inflater.ts";
import type { OpenFile } from "../open-file.ts";
import { RecentBytes } from "./recent-bytes.ts";
import type { ArchiveFormat } from "../rotation.ts";

const SKIP_BYTES = 64 * 1024;

/**
 * The content of a compressed log. All offsets are those of the file as it was before. It can only
 * be gone through from its beginning: to move back is to inflate it again.
 */
export class Archive {
  readonly file: OpenFile;
  readonly #format: ArchiveFormat;
  #inflater: Inflater;
  #recent = new RecentBytes(ANCHOR_BYTES);
  #head: Uint8Array = new Uint8Array();

  constructor(file: OpenFile, format: ArchiveFormat) {
    this.file = file;
    this.#format = format;
    this.#inflater = new Inflater(file, format);
  }

  /** Offset of the next byte that `read` gives. */
  get offset(): number {
    return this.#recent.end;
  }

  /** At least that much is still to come, where the end was not reached. */
  get aheadBytes(): number {
    return this.#inflater.aheadBytes;
  }

  /** Of what was inflated so far. */
  get head(): HeadPrint {
    return { length: this.#head.length, hash: fingerprint(this.#head) };
  }

  beginsWith(head: HeadPrint): boolean {
    return (
      this.#head.length >= head.length &&
      fingerprint(this.#head.subarray(0, head.length)) === head.hash
    );
  }

  async read(target: Uint8Array): Promise<number | InflateStop> {
    const got = await this.#inflater.read(target);
    if (typeof got === "number") {
      const bytes = target.subarray(0, got);
      if (this.#head.length < HEAD_BYTES) {
        this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)]);
      }
      this.#recent.push(bytes);
    }
    return got;
  }

  /** Goes to an offset; says why where there is no way to it. */
  async moveTo(offset: number): Promise<"there" | InflateStop> {
    if (offset < this.offset) this.rewind();
    const scratch = new Uint8Array(SKIP_BYTES);
    while (this.offset < offset) {
      this.#recent.forgetBefore(this.offset);
      const got = await this.read(scratch.subarray(0, offset - this.offset));
      if (typeof got !== "number") return got;
    }
    return "there";
  }

  /** True where the position is where the archive stands, and holds what was before it. */
  answersTo(position: FilePosition): boolean {
    return isAnswer(this.positionAt(position.offset), position);
  }

  /** Undefined where the bytes before `offset` are forgotten, or not inflated yet. */
  positionAt(offset: number): FilePosition | undefined {
    const before = this.#recent.before(offset);
    return before === undefined ? undefined : { offset, anchor: fingerprint(before) };
  }

  /** Positions before this one are not asked for any more. */
  forgetBefore(offset: number): void {
    this.#recent.forgetBefore(offset);
  }

  /** Inflates the file again, from its beginning, as it is now. */
  rewind(): void {
    this.#inflater.close();
    this.#inflater = new Inflater(this.file, this.#format);
    this.#recent = new RecentBytes(ANCHOR_BYTES);
    this.#head = new Uint8Array();
  }

  /** The file stays open. */
  close(): void {
    this.#inflater.close();
  }
}
