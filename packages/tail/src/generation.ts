import type { LossReason } from "./event.ts";
import { HEAD_BYTES } from "./fingerprint.ts";
import { encodeCursor } from "./cursor.ts";
import type { FileIdentity, FilePosition } from "./identity.ts";
import type { OpenFile } from "./open-file.ts";
import type { ArchiveFormat } from "./rotation.ts";
import type { StreamKey, TailStream } from "./source.ts";

/**
 * - `open`: a stream that the consumer has not finished.
 * - `finished`: shipped to its end (or older than the source); known so that it is not read again.
 * - `copy`: holds the same bytes as another generation (copytruncate); never read.
 */
export type Phase = "open" | "finished" | "copy";

/** The file is no more: where its bytes ended, as far as anybody saw. */
export interface Ending {
  readonly cause: LossReason;
  /** Undefined where nothing is known about bytes past the last position. */
  readonly endByte: number | undefined;
}

/**
 * Its file is no more, but compressed siblings may hold what it held: they are looked through before
 * anything is said. `missing`: the file was not found, which a rename under way may be the cause of.
 */
export type Orphanhood = LossReason | "missing";

/** Positions of the newest reads that are kept to recognise a copy that ends among them. */
const MAX_MARKS = 32;

export interface GenerationInit extends StreamKey {
  readonly phase: Phase;
  readonly identity: FileIdentity;
  readonly position: FilePosition;
  /** Defaults to the cursor of identity and position. */
  readonly initialCursor?: Uint8Array;
  readonly sizeBytes: number;
  /** Defaults to 0. */
  readonly seenBytes?: number | undefined;
  readonly path: string | undefined;
  readonly tip?: FilePosition | undefined;
  readonly format?: ArchiveFormat | undefined;
  readonly ending?: Ending | undefined;
}

/** What is known of one file object. The registry and the one reader of a stream share it. */
export class Generation implements StreamKey {
  readonly source: string;
  readonly generation: number;
  readonly initialCursor: Uint8Array;
  phase: Phase;
  identity: FileIdentity;
  acked: FilePosition;
  /** Where the file was last seen; undefined where no name is known. */
  path: string | undefined;
  /** How the file is compressed; offsets are those of its content all the same. */
  format: ArchiveFormat | undefined;
  /** Held for as long as the stream is open: neither rename nor deletion takes the rest away. */
  file: OpenFile | undefined;
  /** The file was closed to save its descriptor, and stands at `path`. */
  isParked = false;
  /** The largest size seen; with the write time, tells whether the content needs another look. */
  sizeBytes: number;
  mtimeNs = -1n;
  /**
   * The largest size seen of files that it has left for a copy of them. Where the copy ends before,
   * the bytes between were cut away, and stand nowhere.
   */
  seenBytes: number;
  /** Where the file ended when it was looked at: it tells the file while nothing of it is read. */
  tip: FilePosition | undefined;
  /** Its content was seen to be the right one by this process. */
  wasSeen = false;
  ending: Ending | undefined;
  orphanhood: Orphanhood | undefined;
  rotatedAtMs: number | undefined;
  deletedAtMs: number | undefined;
  /** Scans in a row that did not find the file. */
  missedScans = 0;
  /** Set by the reader while it waits. */
  wake: (() => void) | undefined;
  #marks: FilePosition[] = [];

  constructor(init: GenerationInit) {
    this.source = init.source;
    this.generation = init.generation;
    this.phase = init.phase;
    this.identity = init.identity;
    this.acked = init.position;
    this.initialCursor =
      init.initialCursor ?? encodeCursor({ identity: init.identity, position: init.position });
    this.sizeBytes = init.sizeBytes;
    this.seenBytes = init.seenBytes ?? 0;
    this.path = init.path;
    this.tip = init.tip;
    this.format = init.format;
    this.ending = init.ending;
  }

  /** What was read and seen to be right: the reader's position, or the acked one without a reader. */
  get position(): FilePosition {
    return this.#marks.at(-1) ?? this.acked;
  }

  /** Positions that a copy of the file can be recognised by, the newest first. */
  get marks(): readonly FilePosition[] {
    return [...this.#marks.toReversed(), this.acked];
  }

  /** Starts over from a position that was verified. */
  moveTo(position: FilePosition): void {
    this.#marks = [position];
  }

  advanceTo(position: FilePosition): void {
    this.#marks.push(position);
    if (this.#marks.length > MAX_MARKS) this.#marks.shift();
  }

  /** So little is known of its file that it cannot be told from itself after it was cut. */
  get isWeak(): boolean {
    return this.identity.head.length < HEAD_BYTES;
  }

  toStream(): TailStream {
    const { source, generation, initialCursor } = this;
    const ackedCursor = (): Uint8Array =>
      encodeCursor({ identity: this.identity, position: this.acked });
    return {
      source,
      generation,
      initialCursor,
      get ackedCursor() {
        return ackedCursor();
      },
    };
  }

  closeFile(): void {
    this.file?.close();
    this.file = undefined;
    this.isParked = false;
  }

  /** False where the file could not be found again, or is being read. */
  park(): boolean {
    const { phase, file, path, format, rotatedAtMs, deletedAtMs } = this;
    const isPlain = phase === "open" && format === undefined && path !== undefined;
    if (!isPlain || rotatedAtMs !== undefined || deletedAtMs !== undefined) return false;
    if (file === undefined || file.isBusy || file.stat().links === 0) return false;
    this.closeFile();
    this.isParked = true;
    return true;
  }
}
