import { LIMITS } from "@sluice/protocol";

import type { Pump } from "./pump.ts";

/** Severity number from which a record takes the express lane: error, of OpenTelemetry's scale. */
const EXPRESS_SEVERITY = 17;

/** A stream with more than this still to be read is catching up: what it reads next is a whole batch by itself. */
export const BACKLOG_BYTES: number = LIMITS.batchRawBytes;

/**
 * Streams take turns in three lanes, the first of which goes first: those whose newest records hold
 * an error, those that are at their source's end, and those that have a backlog. Who takes more
 * than there is falls behind, and with that into the last lane: no lane is held for long by one
 * stream. A stream is in one lane at a time, so nothing overtakes within it.
 */
export type LaneName = "express" | "live" | "backlog";

export function laneOf({ behindBytes, maxSeverity }: Pump): LaneName {
  if (behindBytes > BACKLOG_BYTES) {
    return "backlog";
  }
  return maxSeverity >= EXPRESS_SEVERITY ? "express" : "live";
}

/** A whole batch that waits to be taken. */
export interface Submission {
  readonly pump: Pump;
  readonly taken: () => void;
}

export interface Turn {
  readonly pump: Pump;
  /** It goes with others, and the next such round waits until it has arrived. */
  readonly isOfRound: boolean;
}

/**
 * The streams of one lane. Small batches leave in rounds, one of each stream that has any; whole
 * ones leave in the order in which they came, and as each stream has one at most, that is in turn.
 */
export class Lane {
  readonly name: LaneName;
  /** May still grow until the next round begins. */
  readonly #ready = new Set<Pump>();
  /** Of the round that has begun. */
  readonly #due = new Set<Pump>();
  readonly #waiting = new Set<Submission>();

  constructor(name: LaneName) {
    this.name = name;
  }

  /** The pump has records for the next round. */
  offer(pump: Pump): void {
    this.#ready.add(pump);
  }

  submit(submission: Submission): void {
    this.#waiting.add(submission);
  }

  cancel(submission: Submission): void {
    this.#waiting.delete(submission);
  }

  withdraw(pump: Pump): void {
    this.#ready.delete(pump);
    this.#due.delete(pump);
  }

  beginRound(): void {
    for (const pump of this.#ready) {
      this.#due.add(pump);
    }
    this.#ready.clear();
  }

  /** Undefined where nobody waits. */
  next(): Turn | undefined {
    for (const pump of this.#due) {
      if (pump.canSeal) {
        return { pump, isOfRound: true };
      }
      this.#due.delete(pump); // It is reading, and comes again when it has.
    }
    for (const { pump } of this.#waiting) {
      return { pump, isOfRound: false };
    }
    return undefined;
  }

  /** The turn that `next` named has been taken. */
  take({ pump, isOfRound }: Turn): void {
    if (isOfRound) {
      this.#due.delete(pump);
      return;
    }
    for (const submission of this.#waiting) {
      this.#waiting.delete(submission);
      submission.taken();
      return;
    }
  }
}
