import { numbersBetween } from "./journal-position.ts";
import type { JournalPosition } from "./journal-position.ts";

/**
 * Decides when a jump from one entry to the next asks for a look at whether the journal has lost
 * what lay between. journalctl passes silently over a file that is vacuumed while it reads, so the
 * numbers that journald gives its entries have to tell: where they go on without a hole, nothing is
 * missing. Where they do not, because entries are filtered or come from several writers, an old entry
 * that is still there shows that nothing behind it was vacuumed, as the oldest files go first.
 */
export class Continuity {
  readonly #isFiltered: boolean;
  readonly #checkMs: number;
  /** Everything up to this entry was handed out or is accounted for. */
  #certain: string | undefined;
  #last: string | undefined;
  /** `#last` is still to come. */
  #isAtLast = false;
  #checkedAtMs = -Infinity;
  /** A hole in the numbers was found to be harmless: of some writers only a part can be read. */
  #holesAreNormal = false;

  constructor(isFiltered: boolean, checkMs: number) {
    this.#isFiltered = isFiltered;
    this.#checkMs = checkMs;
  }

  /** The entry whose presence shows that nothing was lost since. */
  get witness(): string | undefined {
    return this.#certain;
  }

  reset(position: JournalPosition): void {
    this.#last = position.kind === "beginning" ? undefined : position.entry;
    this.#certain = this.#last;
    this.#isAtLast = position.kind === "at";
    this.#checkedAtMs = -Infinity;
  }

  /** Whether the witness is to be looked for before this entry is taken. */
  isCheckDue(entry: string, nowMs: number): boolean {
    if (this.#certain === undefined || (this.#follows(entry) && this.#certain === this.#last)) {
      return false;
    }
    return this.missingBefore(entry) > 0n || nowMs - this.#checkedAtMs >= this.#checkMs;
  }

  /** How many numbers are missing in front of the entry, where missing ones are not the rule; else 0. */
  missingBefore(entry: string): bigint {
    if (this.#isFiltered || this.#holesAreNormal || this.#last === undefined) {
      return 0n;
    }
    const between = numbersBetween(this.#last, entry) ?? 0n;
    return between > 0n ? between : 0n;
  }

  /** The witness is still there; or nobody could say, and it remains the witness. */
  checked(entry: string, isThere: boolean, nowMs: number): void {
    this.#checkedAtMs = nowMs;
    this.#holesAreNormal ||= this.missingBefore(entry) > 0n;
    if (isThere) {
      this.#last = entry;
      this.#certain = entry;
      this.#isAtLast = true;
    }
  }

  take(entry: string): void {
    if (this.#certain === undefined || (this.#certain === this.#last && this.#follows(entry))) {
      this.#certain = entry;
    }
    this.#last = entry;
    this.#isAtLast = false;
  }

  #follows(entry: string): boolean {
    const last = this.#last;
    if (last === undefined || this.#isAtLast) {
      return last === undefined || entry === last;
    }
    return numbersBetween(last, entry) === 0n;
  }
}
