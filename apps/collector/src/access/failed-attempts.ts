import { LIMITS } from "@sluice/protocol";

const MINUTE_MS = 60_000;

/** Addresses that are remembered: beyond, those whose minute has passed are looked for, then the oldest goes. */
const MAX_ADDRESSES = 10_000;

/** Counts failed authentications by address: from the tenth in a minute on, none is looked at for its reason. */
export class FailedAttempts {
  readonly #nowMs: () => number;
  readonly #failures = new Map<string, { count: number; readonly sinceMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  isBarred(address: string): boolean {
    const failures = this.#failures.get(address);
    if (failures === undefined || this.#isOver(failures.sinceMs)) {
      this.#failures.delete(address);
      return false;
    }
    return failures.count >= LIMITS.failedAuthsPerIpPerMinute;
  }

  count(address: string): void {
    const failures = this.#failures.get(address);
    if (failures !== undefined && !this.#isOver(failures.sinceMs)) {
      failures.count += 1;
      return;
    }
    this.#failures.delete(address);
    if (this.#failures.size >= MAX_ADDRESSES) {
      this.#makeRoom();
    }
    this.#failures.set(address, { count: 1, sinceMs: this.#nowMs() });
  }

  #isOver(sinceMs: number): boolean {
    return this.#nowMs() - sinceMs > MINUTE_MS;
  }

  #makeRoom(): void {
    for (const [address, { sinceMs }] of this.#failures) {
      if (this.#isOver(sinceMs)) {
        this.#failures.delete(address);
      }
    }
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined && this.#failures.size >= MAX_ADDRESSES) {
      this.#failures.delete(oldest);
    }
  }
}
