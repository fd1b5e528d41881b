import type { TailClock, TailTiming } from "./file-source-options.ts";
import type { Generation } from "./generation.ts";
import type { FilePosition } from "./identity.ts";
import type { FileStat } from "./open-file.ts";

/** How much a file had grown, and when, is all that a look without its content can tell. */
type Look = Pick<FileStat, "sizeBytes" | "mtimeNs">;

/** Where a reader stands in its file, and since when nothing has changed about that. */
export class ReadPlace {
  readonly #generation: Generation;
  readonly #clock: TailClock;
  readonly #timing: TailTiming;
  #offset: number;
  /** The bytes before the offset; undefined where they must be fetched and verified first. */
  anchor: Uint8Array | undefined;
  /** The file's size at the last look, which did not look at what is in it: it may have been cut. */
  waitingBytes = 0;
  /** How the file was when nothing was left to read; a change asks for another look. */
  #idleAt: Look | undefined;
  #quietSinceMs: number;

  constructor(
    generation: Generation,
    { clock, timing }: { readonly clock: TailClock; readonly timing: TailTiming },
  ) {
    this.#generation = generation;
    this.#clock = clock;
    this.#timing = timing;
    this.#offset = generation.position.offset;
    this.#quietSinceMs = clock.monotonicMs();
  }

  /** Of the next byte. */
  get offset(): number {
    return this.#offset;
  }

  /** Starts over at an offset that was verified. */
  moveTo(offset: number): void {
    this.#offset = offset;
    this.anchor = undefined;
    this.#idleAt = undefined;
    this.#quietSinceMs = this.#clock.monotonicMs();
  }

  advanceTo(position: FilePosition): void {
    this.#offset = position.offset;
    this.#generation.advanceTo(position);
    this.#quietSinceMs = this.#clock.monotonicMs();
  }

  /** Nothing is left to read: until the file changes, there is nothing more to look for. */
  rest(at: Look): void {
    this.#idleAt = at;
  }

  wake(): void {
    this.#idleAt = undefined;
  }

  /** What was known of the file is not true any more. */
  doubt(): void {
    this.anchor = undefined;
    this.#idleAt = undefined;
    this.waitingBytes = 0;
  }

  get hasRested(): boolean {
    return this.#idleAt !== undefined;
  }

  isAsIdle({ sizeBytes, mtimeNs }: Look): boolean {
    return sizeBytes === this.#idleAt?.sizeBytes && mtimeNs === this.#idleAt.mtimeNs;
  }

  /** Whether anything was read within the last `activeMs`. */
  get isActive(): boolean {
    return this.#clock.monotonicMs() - this.#quietSinceMs < this.#timing.activeMs;
  }

  /** Until a file that was renamed away counts as finished; Infinity for one in its place. */
  get settlesInMs(): number {
    const { rotatedAtMs } = this.#generation;
    if (rotatedAtMs === undefined) return Infinity;
    const quietSinceMs = Math.max(rotatedAtMs, this.#quietSinceMs);
    return quietSinceMs + this.#timing.settleMs - this.#clock.monotonicMs();
  }

  get isSettled(): boolean {
    return this.settlesInMs <= 0;
  }
}
