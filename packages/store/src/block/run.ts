import type { RecordColumns } from "@sluice/protocol";

/** That many records in a row were received together. */
export interface Arrival {
  readonly count: number;
  /** Receipt time in microseconds since the epoch. */
  readonly receivedUs: number;
  /** Id of the head's batch that they came in. */
  readonly batchId: number;
}

/** Consecutive records of one stream, in the order of their sequence numbers. */
export interface Run {
  readonly streamId: number;
  /** One record at least; their number is not limited as that of a batch is. */
  readonly columns: RecordColumns;
  /** Strictly ascending safe integers, one per record. */
  readonly seqs: Float64Array;
  /** Their counts sum to the number of records. */
  readonly arrivals: readonly Arrival[];
}

/** Where the records of a run lie in their block. */
export interface RunSpan {
  readonly streamId: number;
  /** Index of the first record. */
  readonly from: number;
  readonly count: number;
}
