import type { OwnFiles } from "./access.ts";
import type { Beat } from "./beat.ts";
import type { OnTailEvent } from "./event.ts";

/**
 * Where reading begins in files that exist when a source is started for the first time ever:
 * after the last complete line, at byte 0, or at byte 0 only in files written to recently.
 * Files that appear later are always read from byte 0.
 */
export type StartPolicy = "end" | "beginning" | { readonly withinMs: number };

export interface FileSourceOptions {
  /** Absolute globs in picomatch's dialect. */
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  /**
   * Folders that a matched path may lead into by symbolic links, besides those that the globs are
   * rooted in: of `/var/log/app/*.log` that is `/var/log/app`.
   */
  readonly roots?: readonly string[];
  /** What this process writes itself, and must not read. */
  readonly own?: OwnFiles;
  readonly start: StartPolicy;
  /** What `snapshot` returned in an earlier run; undefined at the first start ever. */
  readonly state?: unknown;
  /**
   * What other sources knew of files that are this one's now, as `splitFileState` gives it. Where
   * two know a path, it goes by who has seen more generations of it.
   */
  readonly inherited?: readonly unknown[];
  /** Descriptors that files in their place take at most, and as many watches. Defaults to 512. */
  readonly maxHeldFiles?: number;
  readonly onEvent?: OnTailEvent;
  readonly timing?: Partial<TailTiming>;
  /** When busy files are looked at, together with those of other sources; by default each `pollMs`. */
  readonly beat?: Beat;
  readonly clock?: TailClock;
}

export interface TailTiming {
  /** Between two looks for new, renamed and deleted files. */
  readonly rescanMs: number;
  /** Between two looks at the size of a file that grew within the last `activeMs`. */
  readonly pollMs: number;
  /** The same for a quiet file; a change notice from the system cuts it short where there is one. */
  readonly idlePollMs: number;
  readonly activeMs: number;
  /** A file that was renamed away is finished when it has been quiet this long. */
  readonly settleMs: number;
  /** A deleted file is held open for its reader no longer than this. */
  readonly deletedDeadlineMs: number;
}

/** File times come from a clock that ticks every few milliseconds. */
export const FILE_CLOCK_SLACK_MS = 10;

/** Half of what a process may have open by default, with room for what else it needs. */
export const DEFAULT_MAX_HELD_FILES = 512;

export const DEFAULT_TIMING: TailTiming = {
  rescanMs: 1_000,
  // Lines of a busy file are at most this old when they are read: two thirds of the freshness goal.
  // At 50, a thousand lines a second take a fifth more of a processor (docs/performance.md).
  pollMs: 100,
  idlePollMs: 1_000,
  activeMs: 1_000,
  // Writers keep the renamed file open until they are told to reopen; logrotate tells them at once.
  settleMs: 2_000,
  // Long enough for a collector to be restarted, short enough not to keep a full disk full.
  deletedDeadlineMs: 600_000,
};

/** Time as an argument: milliseconds since the epoch, and milliseconds that never go back. */
export interface TailClock {
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
}
