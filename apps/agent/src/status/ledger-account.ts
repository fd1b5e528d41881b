import { fileOffset } from "@sluice/tail";

import { decodeStreamCursor, type LedgerCounts, unaccountedBytes } from "../stream-ledger.ts";

/** Where the bytes of a stream up to an acknowledged cursor have gone: seen = stored + filtered + gap. */
export interface LedgerAccount {
  /** Bytes of the source between the stream's beginning and the cursor. */
  readonly seenBytes: number;
  readonly storedBytes: number;
  readonly filteredBytes: number;
  readonly filteredRecords: number;
  readonly gapBytes: number;
  /** Never read, so not among the seen ones; only what is known of them. */
  readonly lostBytes: number;
  /** 0 where nothing is amiss. */
  readonly unaccountedBytes: number;
}

export const EMPTY_ACCOUNT: LedgerAccount = {
  seenBytes: 0,
  storedBytes: 0,
  filteredBytes: 0,
  filteredRecords: 0,
  gapBytes: 0,
  lostBytes: 0,
  unaccountedBytes: 0,
};

/** What a stream's cursor says: the account that travels in it, and the offset where the source has one. */
export function readAccount(cursor: Uint8Array): {
  readonly account: LedgerAccount;
  readonly offset: number | undefined;
} {
  const { counts, source } = decodeStreamCursor(cursor);
  const offset = fileOffset(source);
  return { account: toAccount(counts, offset), offset };
}

/** What has no offsets has seen what it accounts for. */
function toAccount(counts: LedgerCounts, offset: number | undefined): LedgerAccount {
  const { startByte, storedBytes, filteredBytes, filteredRecords, gapBytes, lostBytes } = counts;
  const accounted = storedBytes + filteredBytes + gapBytes;
  return {
    seenBytes: offset === undefined ? accounted : offset - startByte,
    storedBytes,
    filteredBytes,
    filteredRecords,
    gapBytes,
    lostBytes,
    unaccountedBytes: offset === undefined ? 0 : unaccountedBytes(counts, offset),
  };
}

export function addAccounts(a: LedgerAccount, b: LedgerAccount): LedgerAccount {
  return {
    seenBytes: a.seenBytes + b.seenBytes,
    storedBytes: a.storedBytes + b.storedBytes,
    filteredBytes: a.filteredBytes + b.filteredBytes,
    filteredRecords: a.filteredRecords + b.filteredRecords,
    gapBytes: a.gapBytes + b.gapBytes,
    lostBytes: a.lostBytes + b.lostBytes,
    unaccountedBytes: a.unaccountedBytes + b.unaccountedBytes,
  };
}
