import * as z from "zod/mini";

import { addAccounts, EMPTY_ACCOUNT, type LedgerAccount } from "./ledger-account.ts";

/** Sources of which accounts are kept, the latest to finish a stream; some ten thousand bytes of state. */
const MOST_SOURCES = 512;

const FIELDS = [
  "seenBytes",
  "storedBytes",
  "filteredBytes",
  "filteredRecords",
  "gapBytes",
  "lostBytes",
  "unaccountedBytes",
] as const satisfies readonly (keyof LedgerAccount)[];

/** source -> number of streams, then the fields above */
const STATE = z.record(z.string(), z.array(z.number()).check(z.length(FIELDS.length + 1)));

export interface FinishedAccount extends LedgerAccount {
  readonly source: string;
  /** Streams of the source that are finished. */
  readonly streams: number;
}

/**
 * The accounts of streams that are finished, summed up by source, across restarts of the agent. A
 * stream that a collector lost the end of and that was sent again counts again.
 */
export class FinishedLedger {
  readonly #accounts = new Map<string, FinishedAccount>();

  /** @param state what `snapshot` returned in an earlier run; of anything else nothing is taken */
  constructor(state: unknown) {
    const parsed = STATE.safeParse(state);
    for (const [source, [streams = 0, ...values]] of Object.entries(parsed.data ?? {})) {
      const account = Object.fromEntries(FIELDS.map((field, i) => [field, values[i] ?? 0]));
      this.#accounts.set(source, { source, streams, ...EMPTY_ACCOUNT, ...account });
    }
  }

  get accounts(): readonly FinishedAccount[] {
    return [...this.#accounts.values()];
  }

  add(source: string, account: LedgerAccount): void {
    const before = this.#accounts.get(source);
    this.#accounts.delete(source);
    this.#accounts.set(source, {
      source,
      streams: (before?.streams ?? 0) + 1,
      ...addAccounts(before ?? EMPTY_ACCOUNT, account),
    });
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size > MOST_SOURCES && oldest !== undefined) {
      this.#accounts.delete(oldest);
    }
  }

  snapshot(): unknown {
    return Object.fromEntries(
      this.accounts.map((account) => [
        account.source,
        [account.streams, ...FIELDS.map((field) => account[field])],
      ]),
    );
  }
}
