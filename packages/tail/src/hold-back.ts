import type { TailClock } from "./file-source-options.ts";

/**
 * A time during which a reader has nothing to say though there is more to read: its file is out of
 * reach. Who waits for news of it would otherwise go round for ever.
 */
export class HoldBack {
  readonly #clock: TailClock;
  #untilMs = 0;

  constructor(clock: TailClock) {
    this.#clock = clock;
  }

  begin(forMs: number): void {
    this.#untilMs = this.#clock.monotonicMs() + forMs;
  }

  end(): void {
    this.#untilMs = 0;
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#untilMs;
  }

  /** Infinity where it is over. */
  get leftMs(): number {
    return this.isOver ? Infinity : Math.max(1, this.#untilMs - this.#clock.monotonicMs());
  }
}
