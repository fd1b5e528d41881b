import { closeSync, openSync, readSync } from "node:fs";

/** sqlite.org/walformat.html: the header of the WAL index, in the machine's byte order. */
const HEADER_BYTES = 48;
const MX_FRAME = 16;
const PAGE_SIZE = 14;
const SALTS = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Counts what is written to a database's WAL, also when it starts over after a checkpoint. What is
 * written between the last look and a start over is missed, so it wants to be looked at often.
 */
export class WalMeter implements Disposable {
  readonly #index: number;
  readonly #header: Buffer = Buffer.alloc(HEADER_BYTES);
  #salts = "";
  #frames = 0;
  #earlierFrames = 0;
  #firstFrames: number | undefined;

  /** The database must be open, else it has no index. */
  constructor(databasePath: string) {
    this.#index = openSync(`${databasePath}-shm`, "r");
  }

  /** Bytes written since the first look. */
  look(): number {
    readSync(this.#index, this.#header, 0, HEADER_BYTES, 0);
    const view = new DataView(this.#header.buffer, this.#header.byteOffset, HEADER_BYTES);
    const salts = this.#header.toString("hex", SALTS, SALTS + 8);
    const frames = view.getUint32(MX_FRAME, true);
    const size = view.getUint16(PAGE_SIZE, true);
    if (salts !== this.#salts) {
      this.#earlierFrames += this.#frames;
      this.#salts = salts;
    }
    this.#frames = frames;
    const total = this.#earlierFrames + frames;
    this.#firstFrames ??= total;
    return (total - this.#firstFrames) * ((size === 1 ? 65_536 : size) + FRAME_HEADER_BYTES);
  }

  [Symbol.dispose](): void {
    closeSync(this.#index);
  }
}
