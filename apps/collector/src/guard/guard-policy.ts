const MiB = 1024 * 1024;

export const GUARD_STATES = ["open", "pruning", "closed"] as const;

/** What ingest may do: `pruning` still takes everything in, while room is being made. */
export type GuardState = (typeof GUARD_STATES)[number];

/** Below this a checkpoint, a prune or SQLite's own bookkeeping can fail, whatever comes in. */
const LEAST_FLOOR_BYTES = 64 * MiB;

/** How long agents may send on while the guard looks, asks for a prune and that one runs. */
const REACTION_S = 15;

/** A batch is written into the log and, before the log is cut, into its place in head.db. */
const WRITES_PER_BYTE = 2;

/** Without a floor of retention's nothing says how much of a small volume may stay unused. */
const MOST_OF_VOLUME = 1 / 16;

/** What the guard looks at; all bytes. */
export interface GuardInput {
  /**
   * What the collector may still take of the volume, less what the next checkpoint takes and what
   * the ballast lacks: room that both can still have.
   */
  readonly roomBytes: number;
  readonly totalBytes: number;
  /** Retention's `min_free` on this volume; 0 where it is off. */
  readonly retentionFloorBytes: number;
  /** Compressed, as it comes. */
  readonly ingestBytesPerSecond: number;
  /** The most that one output of compaction takes before its inputs go. */
  readonly compactionBytes: number;
  readonly state: GuardState;
}

/** Where the states begin, in bytes of room. */
export interface GuardLevels {
  /** No credit below this. */
  readonly closeBelow: number;
  /** Retention is asked below this. */
  readonly pruneBelow: number;
  /** Whatever was begun ends here: twice the floor, so that it does not begin again at once. */
  readonly openAbove: number;
  /** The ballast goes below this. */
  readonly emergencyBelow: number;
}

export interface GuardDecision {
  readonly state: GuardState;
  readonly levels: GuardLevels;
  /** Whether a ballast that is there has to go. */
  readonly isEmergency: boolean;
}

/**
 * The floor holds one compaction output and what arrives until room is made. It is at most half
 * of retention's own floor, so that by default old logs go before new ones have to wait, and so
 * that whatever retention leaves free is enough to open again.
 */
export function guardLevels(input: Omit<GuardInput, "state" | "roomBytes">): GuardLevels {
  const { totalBytes, retentionFloorBytes, ingestBytesPerSecond, compactionBytes } = input;
  const needed = compactionBytes + ingestBytesPerSecond * WRITES_PER_BYTE * REACTION_S;
  const most = retentionFloorBytes > 0 ? retentionFloorBytes / 2 : totalBytes * MOST_OF_VOLUME;
  const floor = Math.floor(Math.min(Math.max(LEAST_FLOOR_BYTES, needed), most));
  return {
    closeBelow: floor,
    pruneBelow: Math.floor(floor * 1.5),
    openAbove: floor * 2,
    emergencyBelow: Math.floor(floor / 4),
  };
}

/** What state follows. A volume that does not tell its size (0) is never guarded. */
export function guardDecision(input: GuardInput): GuardDecision {
  const levels = guardLevels(input);
  const state = input.totalBytes === 0 ? "open" : nextState(input, levels);
  const isEmergency = state === "closed" && input.roomBytes < levels.emergencyBelow;
  return { state, levels, isEmergency };
}

function nextState({ roomBytes, state }: GuardInput, levels: GuardLevels): GuardState {
  if (roomBytes < levels.closeBelow) {
    return "closed";
  }
  if (roomBytes >= levels.openAbove) {
    return "open";
  }
  return state === "open" && roomBytes < levels.pruneBelow ? "pruning" : state;
}
