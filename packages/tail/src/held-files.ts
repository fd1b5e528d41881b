import type { Generation } from "./generation.ts";

/** Reads under way at a time: more than the thread pool has threads, less than files may be held. */
const MAX_READS = 64;

/**
 * Bounds the descriptors of a source. Beyond `max`, those of files in their place that were read
 * longest ago are closed, and opened again when there is something to read; a file that was renamed
 * or deleted keeps its own.
 */
export class HeldFiles {
  readonly #max: number;
  /** The one used longest ago first. */
  readonly #held = new Set<Generation>();
  #reads = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param max at least 2 * 64 */
  constructor(max: number) {
    this.#max = Math.max(max, 2 * MAX_READS);
  }

  /** The generation holds its file, and uses it now. */
  touch(generation: Generation): void {
    this.#held.delete(generation);
    this.#held.add(generation);
    if (this.#held.size <= this.#max) return;
    for (const each of this.#held) {
      if (each.file === undefined) this.#held.delete(each);
      else if (each !== generation && each.park()) this.#held.delete(each);
      if (this.#held.size <= this.#max) return;
    }
  }

  /** Waits for a turn to read; whoever got one gives it back with `leave`. */
  async enter(): Promise<void> {
    if (this.#reads < MAX_READS) this.#reads += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#reads -= 1;
    else next();
  }
}
