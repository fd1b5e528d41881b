import type { JournalTiming } from "./journal-source-options.ts";

/**
 * Tells a journalctl that has nothing to say from one that hangs: when it has been silent for
 * `lookMs` another is asked for the newest entry; one that is not here within `graceMs` of that was
 * seen by the other and not by this one.
 */
export class Watchdog {
  readonly #timing: JournalTiming;
  #heardBytes = -1;
  #dueAtMs = 0;
  #isSuspect = false;

  constructor(timing: JournalTiming) {
    this.#timing = timing;
  }

  /** When to look next. */
  get dueAtMs(): number {
    return this.#dueAtMs;
  }

  /** @param receivedBytes bytes of output so far, of the process at hand */
  heard(receivedBytes: number, nowMs: number): void {
    if (receivedBytes !== this.#heardBytes) {
      this.#heardBytes = receivedBytes;
      this.#dueAtMs = nowMs + this.#timing.lookMs;
      this.#isSuspect = false;
    }
  }

  /** @param isBehind the journal has an entry that did not come @returns whether the process hangs */
  looked(isBehind: boolean, nowMs: number): boolean {
    const hangs = isBehind && this.#isSuspect;
    this.#isSuspect = isBehind && !hangs;
    this.#dueAtMs = nowMs + (this.#isSuspect ? this.#timing.graceMs : this.#timing.lookMs);
    return hangs;
  }

  /** Another process takes its place. */
  reset(nowMs: number): void {
    this.#heardBytes = -1;
    this.heard(0, nowMs);
  }
}
