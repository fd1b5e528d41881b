import { describe, expect, it } from "vitest";

import { FinishedLedger } from "../../src/status/finished-ledger.ts";
import type { LedgerAccount } from "../../src/status/ledger-account.ts";

function account(storedBytes: number): LedgerAccount {
  return {
    seenBytes: storedBytes + 3,
    storedBytes,
    filteredBytes: 2,
    filteredRecords: 1,
    gapBytes: 1,
    lostBytes: 4,
    unaccountedBytes: 0,
  };
}

describe("the accounts of finished streams", () => {
  it("are summed up by source, and go on across a restart", () => {
    const before = new FinishedLedger(undefined);
    before.add("/a", account(10));
    before.add("/b", account(20));
    const ledger = new FinishedLedger(JSON.parse(JSON.stringify(before.snapshot())));
    ledger.add("/a", account(30));
    expect(ledger.accounts).toEqual([
      { source: "/b", streams: 1, ...account(20) },
      {
        source: "/a",
        streams: 2,
        seenBytes: 46,
        storedBytes: 40,
        filteredBytes: 4,
        filteredRecords: 2,
        gapBytes: 2,
        lostBytes: 8,
        unaccountedBytes: 0,
      },
    ]);
  });

  it.each([[undefined], [null], [[1]], [{ "/a": [1, 2] }], [{ "/a": ["1"] }]])(
    "begin anew where the state is %j",
    (state) => {
      expect(new FinishedLedger(state).accounts).toEqual([]);
    },
  );

  it("are kept of a bounded number of sources, the latest", () => {
    const ledger = new FinishedLedger(undefined);
    for (let i = 0; i < 1_000; i++) ledger.add(`/${i}`, account(i));
    expect(ledger.accounts).toHaveLength(512);
    expect(ledger.accounts.at(-1)?.source).toBe("/999");
  });
});
