import type { Log } from "@sluice/service";
import type { StoreNotice } from "@sluice/store";

const RUN_DOCTOR = "run `sluice doctor`: it says what is missing, and what can be brought back";

/** Writes what the store went on in spite of into the collector's log, and counts it. */
export class NoticeLog {
  readonly #log: Log;
  readonly #counts: Record<StoreNotice["kind"], number> = {
    quarantined: 0,
    missing: 0,
    "maintenance-failed": 0,
    "delete-log-failed": 0,
  };

  constructor(log: Log) {
    this.#log = log;
  }

  /** Since the start, by kind. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  noticed(notice: StoreNotice): void {
    this.#counts[notice.kind] += 1;
    const message = describeNotice(notice);
    switch (notice.kind) {
      case "quarantined":
        this.#log.warn({ advice: RUN_DOCTOR }, message);
        return;
      case "missing":
        this.#log.error({ path: notice.path, advice: RUN_DOCTOR }, message);
        return;
      case "maintenance-failed": {
        const { code, advice } = notice.error;
        this.#log.error({ code, advice, err: notice.error }, message);
        return;
      }
      case "delete-log-failed": {
        const advice = "deletes are told to it again with the next delete, and at each start";
        this.#log.error({ path: notice.path, advice, err: notice.error }, message);
        return;
      }
      default:
        notice satisfies never;
    }
  }
}

/** A notice in one sentence. */
export function describeNotice(notice: StoreNotice): string {
  switch (notice.kind) {
    case "quarantined":
      return `moved into quarantine: ${notice.what}`;
    case "missing":
      return `segment ${notice.path} is not on the disk: its records are missing from every answer`;
    case "maintenance-failed":
      return `a job of the store failed: ${notice.error.message}`;
    case "delete-log-failed":
      return `${notice.path} could not be written: a restore from there would bring deleted lines back`;
    default:
      return notice satisfies never;
  }
}
