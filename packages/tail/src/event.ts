/** What a source reports about itself. A library emits, the app decides what to log or count. */
export type TailEvent =
  | UnreadableEvent
  | ReadableEvent
  | RefusedEvent
  | RotatedEvent
  | TruncatedEvent
  | RecoveredEvent
  | LateWriteEvent
  | GapEvent
  | CursorLostEvent
  | FailedScanEvent
  | JournalGapEvent
  | JournalFailedEvent
  | JournalRecoveredEvent
  | JournalRestrictedEvent;

export type OnTailEvent = (event: TailEvent) => void;

/** A file or folder that exists and cannot be opened or listed. Sent once until it becomes readable. */
export interface UnreadableEvent {
  readonly kind: "unreadable";
  readonly path: string;
  /** The system's error code, such as `EACCES`. */
  readonly code: string;
}

/** A path reported as unreadable before can be read now. */
export interface ReadableEvent {
  readonly kind: "readable";
  readonly path: string;
}

/** A matched path that is not read. Sent once. */
export interface RefusedEvent {
  readonly kind: "refused";
  readonly path: string;
  readonly reason: RefusedReason;
  /** The file that the path leads to, where that is why. */
  readonly leadsTo?: string;
}

export type RefusedReason =
  | "fifo"
  | "socket"
  | "device"
  /** It is read only where it holds the rest of a log that is read. */
  | "compressed"
  /** A symbolic link leads out of the folders that may be read. */
  | "outside-roots"
  /** The reading program itself writes it. */
  | "own-log"
  /** Its name is not UTF-8: no text leads back to it. */
  | "not-utf8"
  /** As a source it is longer than the protocol takes. */
  | "long-name";

/** A generation's file left its path; it is read to its end where it is now. */
export interface RotatedEvent {
  readonly kind: "rotated";
  readonly source: string;
  readonly generation: number;
  /** Where the file is now; undefined where only an open descriptor reaches it. */
  readonly path: string | undefined;
}

/** Why a file at a known place is not the file that was being read. */
export type TruncatedReason =
  /** It is shorter than what was read of it. */
  | "shrunk"
  /** It was cut and has grown past the old offset: the bytes before the offset differ. */
  | "regrown"
  /** The inode number serves another file now: its head or its birth time differs. */
  | "replaced";

export interface TruncatedEvent {
  readonly kind: "truncated";
  readonly source: string;
  readonly generation: number;
  readonly reason: TruncatedReason;
  readonly offset: number;
}

/** The unread rest of a file was found in a copy (copytruncate) or an archive of it, and is read there. */
export interface RecoveredEvent {
  readonly kind: "recovered";
  readonly source: string;
  readonly generation: number;
  readonly path: string;
}

/** A finished file has grown; its new bytes are read as a new generation. */
export interface LateWriteEvent {
  readonly kind: "late-write";
  readonly source: string;
  readonly finished: number;
  readonly generation: number;
  readonly path: string;
}

/** An accounted loss: bytes of a generation, from `fromByte` on, that can no longer be read. */
export interface GapEvent {
  readonly kind: "gap";
  readonly source: string;
  readonly generation: number;
  readonly cause: LossReason;
  readonly fromByte: number;
  /** Bytes known to have existed past `fromByte`; undefined where nothing is known about them. */
  readonly knownBytes: number | undefined;
}

/** A cursor that no file on this host answers to. */
export interface CursorLostEvent {
  readonly kind: "cursor-lost";
  readonly source: string;
  readonly generation: number;
  readonly detail: string;
}

/** A scan failed as a whole, for example because the process is out of descriptors. It is retried. */
export interface FailedScanEvent {
  readonly kind: "failed-scan";
  readonly error: unknown;
}

/** An accounted loss: entries that the journal does not have any more, or that cannot be read. */
export interface JournalGapEvent {
  readonly kind: "journal-gap";
  readonly source: string;
  readonly cause: "vacuumed" | "corrupt" | "cursor_lost";
  readonly detail: string;
}

/**
 * journalctl did not do what it is there for; it is started again where the stream stands. Sent for
 * each failure in a row until the wait does not grow any more.
 */
export interface JournalFailedEvent {
  readonly kind: "journal-failed";
  readonly source: string;
  readonly code:
    /** There is none on the PATH. */
    | "missing"
    /** It ended; its own words are in `detail`. */
    | "failed"
    /** It is silent though the journal has newer entries, or did not answer in time. */
    | "hung"
    /** What it printed is not the export format. */
    | "garbled";
  readonly detail: string;
  readonly retryInMs: number;
}

/** After failures the journal is read again. */
export interface JournalRecoveredEvent {
  readonly kind: "journal-recovered";
  readonly source: string;
}

/** journalctl shows only what the agent's own user wrote. Sent once. */
export interface JournalRestrictedEvent {
  readonly kind: "journal-restricted";
  readonly source: string;
}

export type LossReason =
  /** The file was cut while parts of it were unread. */
  | "truncated"
  /** The file was deleted, or its inode number given to another file, while parts of it were unread. */
  | "deleted"
  /** A deleted file was held open until its deadline and still not read to its end. */
  | "deadline"
  /** The position asked for does not exist in the file. */
  | "cursor-lost"
  /** The rest is in a compressed file that cannot be inflated. */
  | "corrupt";
