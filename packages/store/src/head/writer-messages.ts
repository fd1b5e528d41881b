import type { ResetReason, UnfinishedStream } from "@sluice/protocol";

import type { StoreFailure } from "../errors.ts";
import type { AgentIntroduction, AppendOutcome, OpenedStream, StreamOpening } from "./head.ts";
import type { SweepReport } from "../manifest/orphan-sweep.ts";
import type { BackupPlace } from "../backup/backup-register.ts";
import type { JobRecord, Swap, SwapResult } from "../manifest/swap.ts";
import type { DeleteOrder, IssuedDelete } from "./delete-issuer.ts";
import type { PruneOrder, PruneResult } from "./pruner.ts";
import type { Reclaimed } from "./reclaimer.ts";

/** A stream of one connection: the number that its frames carry, and what it is. */
export interface NumberedOpening extends StreamOpening {
  readonly stream: number;
}

/** Work that shares a commit, done in the order in which it came. */
export type CommitRequest =
  | { readonly kind: "introduce"; readonly id: number; readonly agent: AgentIntroduction }
  | {
      readonly kind: "open";
      readonly id: number;
      readonly connection: number;
      readonly agent: number;
      readonly host: string;
      readonly openings: readonly NumberedOpening[];
    }
  | {
      readonly kind: "append";
      readonly connection: number;
      /** One binary message, frames back to back; transferred, not copied. */
      readonly message: Uint8Array;
    }
  /** Messages of this connection were dropped: all its streams go back to what is stored. */
  | { readonly kind: "shed"; readonly connection: number; readonly reason: ResetReason }
  | { readonly kind: "disconnect"; readonly connection: number };

export type WriterRequest =
  | CommitRequest
  /** Whether it is alive: nothing but an answer. */
  | { readonly kind: "ask"; readonly id: number }
  | { readonly kind: "prune"; readonly id: number; readonly order: PruneOrder }
  | { readonly kind: "delete"; readonly id: number; readonly order: DeleteOrder }
  | { readonly kind: "close-receipts"; readonly id: number }
  | { readonly kind: "announce"; readonly id: number; readonly paths: readonly string[] }
  | { readonly kind: "swap"; readonly id: number; readonly swap: Swap }
  | { readonly kind: "record"; readonly id: number; readonly job: JobRecord }
  | { readonly kind: "reclaim"; readonly id: number; readonly keepFreeBytes: number }
  /** The files of these segments are unlinked. */
  | { readonly kind: "forget"; readonly id: number; readonly segmentIds: readonly number[] }
  | { readonly kind: "begin-backup"; readonly id: number; readonly place: BackupPlace }
  /** `lastDelete` is undefined where nothing came of it. */
  | {
      readonly kind: "end-backup";
      readonly id: number;
      readonly backup: number;
      readonly lastDelete: number | undefined;
    }
  | { readonly kind: "checkpoint"; readonly id: number }
  | { readonly kind: "close"; readonly id: number };

/** The fate of one frame, under the number that its connection knows the stream by. */
export interface FrameOutcome {
  readonly connection: number;
  readonly stream: number;
  readonly outcome: AppendOutcome;
}

/** A message that is not frames: the connection that sent it is at fault. */
export interface MalformedMessage {
  readonly connection: number;
  readonly detail: string;
}

/** Bytes of binary messages that were taken over and then dropped, per connection. */
export type DroppedBytes = ReadonlyMap<number, number>;

export interface CommitReport {
  readonly frames: readonly FrameOutcome[];
  readonly malformed: readonly MalformedMessage[];
  /** Messages that this commit took in, per connection: what their senders may count as credit again. */
  readonly messageBytes: ReadonlyMap<number, number>;
  /** Highest batch id that is committed. */
  readonly highWater: number;
  readonly commitMs: number;
}

/** The end of what has come in so far. */
export interface ClosedReceipts {
  /** Everything up to now bears this receipt time or an earlier one; whatever follows bears a later one. */
  readonly receivedUs: number;
  /** Highest batch id so far. */
  readonly highWater: number;
}

export type WriterReply =
  | {
      readonly kind: "ready";
      readonly storeId: string;
      readonly highWater: number;
      readonly sweep: SweepReport;
      /** Deletes were issued whose records are still in the files. */
      readonly hasDeletes: boolean;
    }
  | {
      readonly kind: "introduced";
      readonly id: number;
      readonly agent: number;
      readonly unfinished: readonly UnfinishedStream[];
    }
  | {
      readonly kind: "opened";
      readonly id: number;
      readonly streams: readonly (OpenedStream & { readonly stream: number })[];
    }
  | { readonly kind: "committed"; readonly report: CommitReport }
  | { readonly kind: "pruned"; readonly id: number; readonly result: PruneResult }
  | { readonly kind: "deleted"; readonly id: number; readonly issued: IssuedDelete }
  | { readonly kind: "receipts-closed"; readonly id: number; readonly closed: ClosedReceipts }
  | { readonly kind: "swapped"; readonly id: number; readonly result: SwapResult }
  /** `isCut` is false where a reader still needs what is in the log. */
  | { readonly kind: "checkpointed"; readonly id: number; readonly isCut: boolean }
  | { readonly kind: "reclaimed"; readonly id: number; readonly result: Reclaimed }
  | { readonly kind: "backup-begun"; readonly id: number; readonly backup: number }
  | { readonly kind: "done"; readonly id: number }
  /** Nothing of these messages was stored for want of room; their streams are reset when there is some. */
  | { readonly kind: "full"; readonly dropped: DroppedBytes }
  /** One request could not be carried out; the writer goes on. */
  | { readonly kind: "refused"; readonly id: number; readonly failure: StoreFailure }
  | { readonly kind: "failed"; readonly failure: StoreFailure };
