import type { RetentionCutoffs } from "@sluice/store";

/** What a worker can do with its store besides taking lines in. */
export const JOB_KINDS = [
  "compact",
  "prune",
  "delete",
  "remove-deleted",
  "checkpoint",
  "backup",
] as const;

export type JobKind = (typeof JOB_KINDS)[number];

/** What a job is about to change of what is to be seen; undefined where it is to change nothing. */
export type Change =
  | { readonly kind: "prune"; readonly visibility: RetentionCutoffs }
  /** Of every stream, the records with this mark. */
  | { readonly kind: "delete"; readonly mark: number };

/** What a worker is told, as a line of JSON on its standard input. */
export type WorkerCommand =
  /** Append this many batches and wait until they are acknowledged. */
  | { readonly kind: "append"; readonly batches: number }
  | { readonly kind: "job"; readonly job: JobKind }
  /** The retention that is in force: the next prune goes on from it. */
  | { readonly kind: "retention"; readonly visibility: RetentionCutoffs }
  /** This job first, then others, and lines meanwhile, without end. */
  | { readonly kind: "run"; readonly first: JobKind }
  | { readonly kind: "close" };

/**
 * What a worker reports, as a line of JSON on its standard output: in the pipe before the worker goes
 * on, so that no kill loses one. Times are of its clock, in milliseconds since 1970.
 */
export type WorkerReport =
  /** `nextSeqs` by stream. */
  | { readonly kind: "opened"; readonly nextSeqs: readonly number[] }
  /** A batch is about to be handed over. */
  | { readonly kind: "sent"; readonly stream: number; readonly count: number; readonly ms: number }
  | {
      readonly kind: "acked";
      readonly stream: number;
      readonly nextSeq: number;
      readonly ms: number;
    }
  | { readonly kind: "begun"; readonly job: JobKind; readonly change?: Change | undefined }
  | { readonly kind: "ended"; readonly job: JobKind; readonly backup?: string | undefined }
  /** The command was carried out. */
  | { readonly kind: "done" }
  /** The store told something that an operator should know, or failed: nothing of the kind may happen here. */
  | { readonly kind: "trouble"; readonly text: string };

/** What a worker is started with, as JSON in its only argument. */
export interface WorkerOptions {
  readonly dataDir: string;
  /** Where backups are made, each in a folder of its own. */
  readonly backupDir: string;
  readonly seed: number;
}
