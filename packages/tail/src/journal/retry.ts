import type { TailEvent } from "../event.ts";
import type { JournalTiming } from "./journal-source-options.ts";
import type { JournalctlFault } from "./journalctl.ts";

/** journalctl failed so often at one place, with words of damage: what follows is passed over. */
const SKIP_AFTER = 3;
/** Each time it fails again, 16 times as far is passed over, from 1 microsecond on. */
const SKIP_BITS = 4n;

/** When a journalctl that failed is started again, and what is said of it. */
export class Retry {
  readonly #source: string;
  readonly #timing: JournalTiming;
  readonly #emit: (event: TailEvent) => void;
  #failures = 0;
  #unreadable = 0;
  #skips = 0n;
  #atMs = -Infinity;
  /** The wait that was told last: once it does not grow any more, it is not told again. */
  #saidMs: number | undefined;

  constructor(source: string, timing: JournalTiming, emit: (event: TailEvent) => void) {
    this.#source = source;
    this.#timing = timing;
    this.#emit = emit;
  }

  /** Not before this time. */
  get atMs(): number {
    return this.#atMs;
  }

  /** How far behind the position the next readable entry is to be looked for, if it is. */
  get skipUs(): bigint | undefined {
    return this.#unreadable < SKIP_AFTER ? undefined : 1n << (SKIP_BITS * this.#skips);
  }

  failed(fault: JournalctlFault, nowMs: number): void {
    const { retryMinMs, retryMaxMs } = this.#timing;
    const retryInMs = Math.min(retryMaxMs, retryMinMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#unreadable = saysDamage(fault) ? this.#unreadable + 1 : 0;
    this.#atMs = nowMs + retryInMs;
    if (retryInMs === this.#saidMs) {
      return; // A journal that cannot be read for days would fill the log.
    }
    this.#saidMs = retryInMs;
    const { code, detail } = fault;
    this.#emit({ kind: "journal-failed", source: this.#source, code, detail, retryInMs });
  }

  /** What was unreadable is behind; should what follows be so too, the next step is a longer one. */
  skipped(): void {
    this.#unreadable = SKIP_AFTER - 1;
    this.#skips += 1n;
  }

  succeeded(): void {
    if (this.#failures > 0) {
      this.#emit({ kind: "journal-recovered", source: this.#source });
    }
    this.#failures = 0;
    this.#unreadable = 0;
    this.#skips = 0n;
    this.#atMs = -Infinity;
    this.#saidMs = undefined;
  }
}

function saysDamage({ code, detail }: JournalctlFault): boolean {
  return code === "garbled" || /bad message|input\/output error|corrupt/i.test(detail);
}
