/** Ends a wait for a source that stays silent for so long. */
export class Silence {
  readonly #waitMs: number;
  #endsAtMs = 0;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** The source has said something: the silence begins anew. */
  broken(): void {
    this.#endsAtMs = performance.now() + this.#waitMs;
  }

  get isOver(): boolean {
    return performance.now() >= this.#endsAtMs;
  }

  /** Resolves when `changed` does or when the silence is over. Throws the signal's reason when aborted. */
  async race(changed: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const either = new AbortController();
    const onAbort = (): void => either.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const leftMs = Math.max(0, this.#endsAtMs - performance.now());
    // Timers may fire a fraction of a millisecond early.
    const timer = setTimeout(() => either.abort(), Math.ceil(leftMs) + 1);
    try {
      await changed(either.signal);
    } catch (error) {
      if (signal.aborted || !either.signal.aborted) {
        throw error;
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
