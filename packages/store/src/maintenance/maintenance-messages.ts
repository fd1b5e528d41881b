import type { StoreFailure } from "../errors.ts";
import type { Swap, SwapResult } from "../manifest/swap.ts";
import type { TakenOut } from "./deletion.ts";

/** A part of segments that retention drops: those streams of this segment. */
export interface SegmentPart {
  readonly segment: number;
  readonly streams: readonly number[];
}

export interface Dropped {
  readonly records: number;
  readonly bytes: number;
}

/** What a request has to show for itself. */
export interface JobResult {
  /** What `drop-parts` has taken off the files. */
  readonly dropped?: Dropped;
  /** What `deletes` has taken out; absent where there was no delete. */
  readonly takenOut?: TakenOut;
}

export type MaintenanceRequest =
  /** Do what is due, now and then. */
  | { readonly kind: "look" }
  /** Do everything that can be done, and say when it is done. */
  | { readonly kind: "settle"; readonly id: number }
  /** Write segments anew without these parts. */
  | { readonly kind: "drop-parts"; readonly id: number; readonly parts: readonly SegmentPart[] }
  /** Take the records of all deletes that were issued out of the store. */
  | { readonly kind: "deletes"; readonly id: number }
  | { readonly kind: "swapped"; readonly id: number; readonly result: SwapResult }
  | { readonly kind: "announced"; readonly id: number }
  /** The writer could not do it: the volume is full. */
  | { readonly kind: "refused"; readonly id: number; readonly failure: StoreFailure }
  /** End the job that is under way, whose work is lost, and then the thread. */
  | { readonly kind: "stop" };

export type MaintenanceReply =
  | { readonly kind: "announce"; readonly id: number; readonly paths: readonly string[] }
  | { readonly kind: "swap"; readonly id: number; readonly swap: Swap }
  | { readonly kind: "done"; readonly id: number; readonly result: JobResult }
  /** A request could not be carried out; undefined where it was a job that was due by itself. */
  | { readonly kind: "failed"; readonly id: number | undefined; readonly failure: StoreFailure }
  /** Compressed bytes in the head that no segment holds yet. */
  | { readonly kind: "head"; readonly bytes: number }
  /** Something could not be read, and was moved aside. */
  | { readonly kind: "quarantined"; readonly what: string };
