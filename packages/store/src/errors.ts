/** What went wrong with the stored data, as a stable code that callers turn into an exit code and advice. */
export type StoreErrorCode =
  | "data-missing"
  | "data-newer"
  | "data-older"
  | "data-foreign"
  | "data-corrupt"
  | "data-locked"
  | "data-unwritable"
  | "commit-failed"
  | "maintenance-failed"
  /** It could not be made, or not where it was asked for. */
  | "backup-failed"
  | "backup-damaged"
  | "restore-refused"
  | "rebuild-refused"
  | "disk-full"
  | "closed";

/** SQLite needs room even to delete: where the guard's ballast is spent, only the operator can help. */
export const DISK_FULL_ADVICE =
  "the volume of data_dir is full: make room on it; agents hold what is not stored, and send it as soon as there is room";

/** A failure of the store. `message` says what happened and where, `advice` what to do about it. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly advice: string;

  constructor(code: StoreErrorCode, message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
    this.advice = advice;
  }
}

/** The parts of a StoreError that survive a thread boundary. */
export interface StoreFailure {
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly advice: string;
}

export function toFailure(error: unknown): StoreFailure {
  if (error instanceof StoreError) {
    return { code: error.code, message: error.message, advice: error.advice };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "commit-failed",
    message,
    advice: "see the system's log for the disk's own errors",
  };
}

export function fromFailure(failure: StoreFailure): StoreError {
  return new StoreError(failure.code, failure.message, failure.advice);
}
