interface CommitPace {
  /** Pending payload bytes above which a commit does not wait. */
  readonly eagerBytes: number;
  /** Shortest time between two commits below that. */
  readonly intervalMs: number;
}

/**
 * At most 40 commits a second keep a fleet of quiet agents at about 10 bytes of WAL per byte of
 * log; 1 MiB of compressed frames is worth an fsync of its own.
 */
const DEFAULT_COMMIT_PACE: CommitPace = { eagerBytes: 1024 * 1024, intervalMs: 25 };

/** Says when the frames that have gathered are committed. Pure: time comes in as an argument. */
export class CommitClock {
  readonly #pace: CommitPace;
  #lastCommitMs = Number.NEGATIVE_INFINITY;

  constructor(pace: CommitPace = DEFAULT_COMMIT_PACE) {
    this.#pace = pace;
  }

  /** Milliseconds until what is pending should be committed; 0 means now. */
  dueInMs(pendingBytes: number, nowMs: number): number {
    if (pendingBytes >= this.#pace.eagerBytes) {
      return 0;
    }
    return Math.max(0, this.#lastCommitMs + this.#pace.intervalMs - nowMs);
  }

  committed(nowMs: number): void {
    this.#lastCommitMs = nowMs;
  }
}
