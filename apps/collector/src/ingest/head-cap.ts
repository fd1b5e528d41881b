import type { IngestBrake } from "./ingest.ts";

/**
 * Compressed bytes in the head at which agents have to wait for compaction: 4 GiB are some 30 GB of
 * text, far more than any burst that two cores can write off in an hour.
 */
const CAP_BYTES = 4 * 1024 * 1024 * 1024;

/** Agents go on when the head is back at this share of the cap. */
const RESUME_SHARE = 0.75;

const LOOK_EVERY_MS = 1_000;

export interface HeadCapParts {
  readonly brake: IngestBrake;
  /** Compressed bytes that no segment holds yet, nearly. */
  readonly headBytes: () => number;
  readonly events: {
    capped(headBytes: number): void;
    uncapped(headBytes: number): void;
  };
  readonly capBytes?: number;
}

/**
 * Keeps the head bounded: where lines come in faster than compaction takes them out, for long, the
 * agents' credit is taken away until it has caught up. Their files hold the rest.
 */
export class HeadCap implements Disposable {
  readonly #parts: HeadCapParts;
  readonly #capBytes: number;
  #isCapped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: HeadCapParts) {
    this.#parts = parts;
    this.#capBytes = parts.capBytes ?? CAP_BYTES;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const { brake, headBytes, events } = this.#parts;
    const bytes = headBytes();
    if (!this.#isCapped && bytes > this.#capBytes) {
      this.#isCapped = true;
      brake.pause();
      events.capped(bytes);
    } else if (this.#isCapped && bytes < this.#capBytes * RESUME_SHARE) {
      this.#isCapped = false;
      brake.resume();
      events.uncapped(bytes);
    }
  }
}
