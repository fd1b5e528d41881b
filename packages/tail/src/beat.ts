/**
 * One timer for all who look again after the same time. They are called one after the other, so
 * that what they find can leave together.
 */
export class Beat {
  readonly #periodMs: number;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** Calls `wake` once, a period from now at the latest. */
  next(wake: () => void): void {
    this.#waiting.add(wake);
    this.#timer ??= setTimeout(() => this.#strike(), this.#periodMs);
  }

  cancel(wake: () => void): void {
    this.#waiting.delete(wake);
    if (this.#waiting.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #strike(): void {
    this.#timer = undefined;
    const due = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of due) wake();
  }
}
