import type { Log } from "@sluice/service";

const WINDOW_MS = 60_000;

/** Lines of one window: enough to see who and why, too few to fill a disk. */
const LINES_PER_WINDOW = 30;

/**
 * Writes refused connections into the log, each address and reason once a minute: whoever can open
 * connections could otherwise write the log full. What was left out is counted in the next line.
 */
export class RefusalLog {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #seen = new Set<string>();
  #sinceMs: number;
  #leftOut = 0;

  constructor(log: Log, nowMs: () => number = () => performance.now()) {
    this.#log = log;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  refused(address: string, reason: string): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = nowMs;
      this.#seen.clear();
    }
    const key = `${address} ${reason}`;
    if (this.#seen.has(key) || this.#seen.size >= LINES_PER_WINDOW) {
      this.#leftOut += 1;
      return;
    }
    this.#seen.add(key);
    const others = this.#leftOut === 0 ? {} : { othersSinceLastLine: this.#leftOut };
    this.#leftOut = 0;
    this.#log.warn({ address, ...others }, `refused a connection: ${reason}`);
  }
}
