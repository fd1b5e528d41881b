import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import type { Beat } from "./beat.ts";
import { systemCode } from "./open-file.ts";
import type { WatchBudget } from "./watch-budget.ts";

/**
 * Waits for a file to change. A notice from the system is only a hint: where there is none (its
 * watches are used up, a network file system), the timer decides alone.
 */
export class GrowthWait implements Disposable {
  readonly #signal: AbortSignal;
  readonly #watches: WatchBudget;
  #watcher: FSWatcher | undefined;
  #hasTriedToWatch = false;
  #isWoken = false;
  #resolve: (() => void) | undefined;

  constructor(signal: AbortSignal, watches: WatchBudget) {
    this.#signal = signal;
    this.#watches = watches;
    signal.addEventListener("abort", this.wake);
  }

  /** Ends the wait under way, or else the next one at once. */
  readonly wake = (): void => {
    this.#isWoken = true;
    this.#resolve?.();
  };

  /** Asks for notices; true the first time: a change just before it has to be looked for. */
  watch(path: string): boolean {
    if (this.#hasTriedToWatch) return false;
    this.#hasTriedToWatch = true;
    if (!this.#watches.take()) return false;
    try {
      this.#watcher = watch(path, { persistent: false }, this.wake);
      this.#watcher.on("error", this.wake);
    } catch (error) {
      this.#watches.giveBack();
      if (systemCode(error) === undefined) throw error;
    }
    return true;
  }

  /**
   * Resolves after `waitMs`, at the next beat where there is one, or when woken. Throws the signal's
   * reason when that is aborted.
   *
   * @param waitMs may be Infinity where there is a beat
   */
  async wait(waitMs: number, beat?: Beat): Promise<void> {
    this.#signal.throwIfAborted();
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          beat?.cancel(wake);
          resolve();
        };
        const timer = waitMs === Infinity ? undefined : setTimeout(wake, waitMs);
        beat?.next(wake);
        this.#resolve = wake;
      });
    }
    this.#resolve = undefined;
    this.#isWoken = false;
    this.#signal.throwIfAborted();
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.wake);
    if (this.#watcher === undefined) return;
    this.#watcher.close();
    this.#watches.giveBack();
  }
}
