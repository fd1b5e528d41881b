import type { RecordColumns } from "@sluice/protocol";

import type { Arrival } from "../block/run.ts";
import type { BlockIndex } from "../block/block-index.ts";
import type { BlockText } from "../block/block-text.ts";
import type { BatchEntry } from "../head/batch-run.ts";
import { gatherColumns } from "../block/record-columns.ts";
import type { SegmentRun } from "../segment/segment-file.ts";

/** A block as it is kept: the text is decoded when it is first asked for. */
export interface CachedBlock {
  readonly index: BlockIndex;
  text: BlockText | undefined;
  /** By arrival, where it ends; made when it is first asked for. */
  arrivalEnds: Uint32Array | undefined;
}

/** A block's text as it is stored, for scans that need no whole records. */
export interface EncodedText {
  /** Names the block among all that a search reads. */
  readonly block: CachedBlock;
  readonly text: BlockText;
  /** Index in the block of the run's first record. */
  readonly from: number;
}

/** The records of one run, decoded as far as somebody has asked for them. Indices are those of the run, from 0. */
export interface OpenRun {
  readonly count: number;
  readonly timesUs: Float64Array;
  readonly severities: Uint8Array;
  seqAt(index: number): number;
  receivedUsAt(index: number): number;
  batchAt(index: number): number;
  /** Undefined where the records are not encoded, or the text is damaged. */
  encoded(): EncodedText | undefined;
  /** All records, or undefined where the text is damaged. */
  columns(): RecordColumns | undefined;
  /** The records at these indices, in their order; undefined where the text is damaged. */
  gather(indices: ArrayLike<number>): RecordColumns | undefined;
}

/** A batch of the head. */
export class OpenBatch implements OpenRun {
  readonly #entry: BatchEntry;
  readonly #columns: RecordColumns;

  constructor(entry: BatchEntry, columns: RecordColumns) {
    this.#entry = entry;
    this.#columns = columns;
  }

  get count(): number {
    return this.#columns.count;
  }

  get timesUs(): Float64Array {
    return this.#columns.timesUs;
  }

  get severities(): Uint8Array {
    return this.#columns.severities;
  }

  seqAt(index: number): number {
    return this.#entry.firstSeq + index;
  }

  receivedUsAt(): number {
    return this.#entry.receivedUs;
  }

  batchAt(): number {
    return this.#entry.id;
  }

  encoded(): undefined {
    return undefined;
  }

  columns(): RecordColumns {
    return this.#columns;
  }

  gather(indices: ArrayLike<number>): RecordColumns {
    return gatherColumns(this.#columns, indices);
  }
}

/** A stream's records in a block of a segment. */
export class OpenBlockRun implements OpenRun {
  readonly count: number;
  readonly #from: number;
  readonly #block: CachedBlock;
  #timesUs: Float64Array | undefined;
  #severities: Uint8Array | undefined;
  readonly #text: () => BlockText | undefined;

  constructor(run: SegmentRun, block: CachedBlock, text: () => BlockText | undefined) {
    const { fromRecord, count } = run;
    this.count = count;
    this.#from = fromRecord;
    this.#block = block;
    this.#text = text;
  }

  get timesUs(): Float64Array {
    return (this.#timesUs ??= this.#block.index.timesUs.subarray(
      this.#from,
      this.#from + this.count,
    ));
  }

  get severities(): Uint8Array {
    return (this.#severities ??= this.#block.index.severities.subarray(
      this.#from,
      this.#from + this.count,
    ));
  }

  seqAt(index: number): number {
    return this.#block.index.seqs[this.#from + index] ?? 0;
  }

  receivedUsAt(index: number): number {
    return this.#arrivalAt(index).receivedUs;
  }

  batchAt(index: number): number {
    return this.#arrivalAt(index).batchId;
  }

  encoded(): EncodedText | undefined {
    const text = this.#text();
    return text === undefined ? undefined : { block: this.#block, text, from: this.#from };
  }

  columns(): RecordColumns | undefined {
    return this.#text()?.columns(this.#from, this.#from + this.count);
  }

  gather(indices: ArrayLike<number>): RecordColumns | undefined {
    const from = this.#from;
    return this.#text()?.gather(Uint32Array.from(indices, (index) => from + index));
  }

  #arrivalAt(index: number): Arrival {
    const { arrivals } = this.#block.index;
    const ends = (this.#block.arrivalEnds ??= endsOf(arrivals));
    const record = this.#from + index;
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ends[middle] ?? 0) > record) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return arrivals[low] as Arrival;
  }
}

/** Where each ends among the records of the block; of a slow stream's block there are as many as records. */
function endsOf(arrivals: readonly Arrival[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(arrivals, ({ count }) => (end += count));
}
