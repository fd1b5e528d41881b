import type { GapCause, GapRange } from "@sluice/protocol";

import type { Lease } from "./builder-pool.ts";

/** A batch whose records are complete, ready to be compressed. */
export interface SealedBatch {
  readonly key: number;
  readonly epoch: number;
  readonly payload: Buffer;
  readonly count: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  readonly bodyBytes: number;
  readonly cursor: Uint8Array;
  readonly lease: Lease;
  /** What the user's rules dropped since the batch before. */
  readonly filtered: FilteredCounts;
}

export interface FilteredCounts {
  readonly records: number;
  /** Of the source, line ends included. */
  readonly bytes: number;
}

export const NOTHING_FILTERED: FilteredCounts = { records: 0, bytes: 0 };

/** A frame without records. */
export type Note =
  | {
      readonly kind: "gap";
      readonly cursor: Uint8Array;
      readonly cause: GapCause;
      readonly range: GapRange | "unknown";
      readonly count: number;
      readonly detail: string;
    }
  | { readonly kind: "advance"; readonly cursor: Uint8Array; readonly filtered: FilteredCounts }
  | { readonly kind: "final"; readonly cursor: Uint8Array };
