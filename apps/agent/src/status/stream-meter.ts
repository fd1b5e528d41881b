import { EMPTY_ACCOUNT, type LedgerAccount, readAccount } from "./ledger-account.ts";
import { RateMeter } from "./rate-meter.ts";

/** What an ack has moved a stream on by. */
export interface AckedAmount {
  readonly records: number;
  readonly storedBytes: number;
  readonly filteredBytes: number;
  readonly filteredRecords: number;
  readonly gapBytes: number;
  readonly lostBytes: number;
}

/** Measures one stream by what is acknowledged of it. */
export class StreamMeter {
  readonly #records = new RateMeter();
  readonly #bytes = new RateMeter();
  #account: LedgerAccount = EMPTY_ACCOUNT;
  #offset: number | undefined;
  #nextSeq = 0;
  #caughtUpAtMs: number;

  constructor(nowMs: number) {
    this.#caughtUpAtMs = nowMs;
  }

  get account(): LedgerAccount {
    return this.#account;
  }

  /** Offset of the acknowledged cursor in its file; undefined for what has no offsets. */
  get offset(): number | undefined {
    return this.#offset;
  }

  /** Records acknowledged, over the stream's whole life. */
  get records(): number {
    return this.#nextSeq;
  }

  /** The collector says where the stream stands: not behind what it has acknowledged, unless it was rolled back. */
  rewound(nextSeq: number, cursor: Uint8Array): void {
    const { account, offset } = readAccount(cursor);
    this.#account = account;
    this.#offset = offset;
    this.#nextSeq = nextSeq;
  }

  acked(nextSeq: number, cursor: Uint8Array, nowMs: number): AckedAmount {
    const before = this.#account;
    const { account, offset } = readAccount(cursor);
    const amount = {
      records: nextSeq - this.#nextSeq,
      storedBytes: account.storedBytes - before.storedBytes,
      filteredBytes: account.filteredBytes - before.filteredBytes,
      filteredRecords: account.filteredRecords - before.filteredRecords,
      gapBytes: account.gapBytes - before.gapBytes,
      lostBytes: account.lostBytes - before.lostBytes,
    };
    this.#records.add(amount.records, nowMs);
    this.#bytes.add(amount.storedBytes, nowMs);
    this.#account = account;
    this.#offset = offset;
    this.#nextSeq = nextSeq;
    return amount;
  }

  /** How far it is behind at the moment; to be told often, as the age of a backlog is counted from the last 0. */
  observe(lagBytes: number, nowMs: number): void {
    if (lagBytes === 0) {
      this.#caughtUpAtMs = nowMs;
    }
  }

  /** How long ago everything that was there had been acknowledged; 0 while it is. */
  lagMs(lagBytes: number, nowMs: number): number {
    return lagBytes === 0 ? 0 : Math.round(nowMs - this.#caughtUpAtMs);
  }

  rates(nowMs: number): { readonly recordsPerSecond: number; readonly bytesPerSecond: number } {
    return {
      recordsPerSecond: this.#records.perSecond(nowMs),
      bytesPerSecond: this.#bytes.perSecond(nowMs),
    };
  }
}
