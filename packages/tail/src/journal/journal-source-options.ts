import type { OnTailEvent } from "../event.ts";
import type { StartPolicy, TailClock } from "../file-source-options.ts";

export interface JournalSourceOptions {
  /** A folder of journal files; undefined: this machine's journal. */
  readonly directory?: string | undefined;
  /** journalctl's matches, such as `_SYSTEMD_UNIT=ssh.service`; "+" between two means "or". */
  readonly match?: readonly string[];
  /** Units as `journalctl --unit` takes them. */
  readonly units?: readonly string[];
  /** The fields that become attributes, by journald's names. */
  readonly fields?: readonly string[];
  /** Where the first start ever begins: behind the newest entry, at the oldest, or at the oldest within a time. */
  readonly start: StartPolicy;
  /** What `snapshot` returned in an earlier run; undefined at the first start ever. */
  readonly state?: unknown;
  readonly onEvent?: OnTailEvent;
  readonly timing?: Partial<JournalTiming>;
  readonly clock?: TailClock;
}

export interface JournalTiming {
  /** Between two looks at whether a silent journalctl has anything to be silent about. */
  readonly lookMs: number;
  /** What such a look found newer has to arrive within this time, or journalctl hangs. */
  readonly graceMs: number;
  /** A question to journalctl takes no longer than this. */
  readonly answerMs: number;
  /** Between two checks that the entries behind a jump in the numbering are still there. */
  readonly checkMs: number;
  /** A journalctl that ends is started again after the first, doubling up to the second. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

export const DEFAULT_JOURNAL_TIMING: JournalTiming = {
  // A look costs some 10 ms of a core.
  lookMs: 30_000,
  graceMs: 2_000,
  answerMs: 10_000,
  checkMs: 1_000,
  retryMinMs: 250,
  retryMaxMs: 30_000,
};
