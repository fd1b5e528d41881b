import type { StoreError } from "./errors.ts";
import type { CommitReport, DroppedBytes } from "./head/writer-messages.ts";

/** What happens in a store that nobody has asked for at that moment. */
export interface StoreEvents {
  /** Frames were committed and fsynced: acks may leave now. */
  committed(report: CommitReport): void;
  /** Nothing more can be committed; the process should say why and end. */
  failed(error: StoreError): void;
  /** Something that an operator should know, and that the store goes on with. */
  noticed(notice: StoreNotice): void;
  /**
   * The volume is full. These messages were dropped, none of them acknowledged; what else comes is
   * dropped too until there is room, and then the streams are reset (reason `storage`).
   */
  full(dropped: DroppedBytes): void;
}

export type StoreNotice =
  /** What could not be read or was not known, moved to `quarantine/`. */
  | { readonly kind: "quarantined"; readonly what: string }
  /** A segment of the manifest is not on the disk: its records are missing from every answer. */
  | { readonly kind: "missing"; readonly path: string }
  | { readonly kind: "maintenance-failed"; readonly error: StoreError }
  /** A log of deletes could not be written: a restore from there would bring deleted records back. */
  | { readonly kind: "delete-log-failed"; readonly path: string; readonly error: Error };
