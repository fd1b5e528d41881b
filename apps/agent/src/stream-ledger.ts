import { fileOffset } from "@sluice/tail";

/** Where every byte that was seen of a stream has gone, so far. Whole numbers of bytes. */
export interface LedgerCounts {
  /** Offset at which the stream began, for a stream of bytes; 0 otherwise. */
  readonly startByte: number;
  /** Bytes of the source that a stored record was made of, line ends included. */
  readonly storedBytes: number;
  /** Bytes of the source that yield no record by the user's own rules, and how many records they were. */
  readonly filteredBytes: number;
  readonly filteredRecords: number;
  /** Bytes that were read and are recorded as gaps. */
  readonly gapBytes: number;
  /** Bytes that were never read, and are recorded as gaps, where their number is known. */
  readonly lostBytes: number;
}

/** A cursor as it travels: the source's own, with the ledger up to it. */
export interface StreamCursor {
  readonly counts: LedgerCounts;
  readonly source: Uint8Array;
  /** The stream's end: nothing of its source follows. */
  readonly isEnd: boolean;
}

const HEADER = /^L1 (\d{1,16}) (\d{1,16}) (\d{1,16}) (\d{1,16}) (\d{1,16}) (\d{1,16})( END)?\n/;
/** "L1", six numbers of at most 16 digits, "END", and what separates them. */
const MOST_HEADER_BYTES = 2 + 6 * 17 + 4 + 1;

/**
 * One line in front of the source's cursor:
 * `L1 START STORED FILTERED FILTERED_RECORDS GAP LOST`, and `END` where the stream ends. The
 * collector stores cursors unread, in the transaction that stores what they follow: so the ledger is
 * as exact as the stream itself.
 */
export function encodeStreamCursor({ counts, source, isEnd }: StreamCursor): Uint8Array {
  const { startByte, storedBytes, filteredBytes, filteredRecords, gapBytes, lostBytes } = counts;
  const numbers = [startByte, storedBytes, filteredBytes, filteredRecords, gapBytes, lostBytes];
  const header = `L1 ${numbers.join(" ")}${isEnd ? " END" : ""}\n`;
  return Buffer.concat([Buffer.from(header), source]);
}

/** A cursor without a ledger is one that an agent before it made: accounts begin at it. */
export function decodeStreamCursor(cursor: Uint8Array): StreamCursor {
  const head = Buffer.from(cursor.subarray(0, MOST_HEADER_BYTES)).toString("latin1");
  const match = HEADER.exec(head);
  if (match === null) {
    return { counts: emptyLedger(fileOffset(cursor) ?? 0), source: cursor, isEnd: false };
  }
  const [startByte, storedBytes, filteredBytes, filteredRecords, gapBytes, lostBytes] = match
    .slice(1, 7)
    .map(Number) as [number, number, number, number, number, number];
  const counts = { startByte, storedBytes, filteredBytes, filteredRecords, gapBytes, lostBytes };
  const isEnd = match[7] !== undefined;
  return { counts, source: cursor.subarray(match[0].length), isEnd };
}

export function emptyLedger(startByte: number): LedgerCounts {
  const none = { storedBytes: 0, filteredBytes: 0, filteredRecords: 0, gapBytes: 0, lostBytes: 0 };
  return { startByte, ...none };
}

/**
 * Keeps the accounts of one stream from one rewind to the next. Frames are counted in the order in
 * which they leave, so that each one's cursor holds the accounts up to itself.
 */
export class StreamLedger {
  #counts: LedgerCounts;
  #sealed: Uint8Array | undefined;

  constructor(counts: LedgerCounts) {
    this.#counts = counts;
  }

  /** The newest cursor that left; undefined where none has. */
  get sealed(): Uint8Array | undefined {
    return this.#sealed;
  }

  get counts(): LedgerCounts {
    return this.#counts;
  }

  add(more: Partial<Omit<LedgerCounts, "startByte">>): void {
    const { startByte, storedBytes, filteredBytes, filteredRecords, gapBytes, lostBytes } =
      this.#counts;
    this.#counts = {
      startByte,
      storedBytes: storedBytes + (more.storedBytes ?? 0),
      filteredBytes: filteredBytes + (more.filteredBytes ?? 0),
      filteredRecords: filteredRecords + (more.filteredRecords ?? 0),
      gapBytes: gapBytes + (more.gapBytes ?? 0),
      lostBytes: lostBytes + (more.lostBytes ?? 0),
    };
  }

  /** The source's cursor with the accounts up to it. */
  seal(source: Uint8Array): Uint8Array {
    return this.#seal(source, false);
  }

  /** The same where the stream ends. */
  sealEnd(source: Uint8Array): Uint8Array {
    return this.#seal(source, true);
  }

  #seal(source: Uint8Array, isEnd: boolean): Uint8Array {
    this.#sealed = encodeStreamCursor({ counts: this.#counts, source, isEnd });
    return this.#sealed;
  }
}

/** What came to the accounts of a stream from one cursor to a later one. */
export function difference(
  after: LedgerCounts,
  before: LedgerCounts,
): Omit<LedgerCounts, "startByte"> {
  return {
    storedBytes: after.storedBytes - before.storedBytes,
    filteredBytes: after.filteredBytes - before.filteredBytes,
    filteredRecords: after.filteredRecords - before.filteredRecords,
    gapBytes: after.gapBytes - before.gapBytes,
    lostBytes: after.lostBytes - before.lostBytes,
  };
}

/** Bytes of the source up to a cursor at `offset` that no account holds; 0 where nothing is amiss. */
export function unaccountedBytes(counts: LedgerCounts, offset: number): number {
  return offset - counts.startByte - counts.storedBytes - counts.filteredBytes - counts.gapBytes;
}
