import type { Ballast } from "./ballast.ts";
import type { VolumeState } from "./volume-watch.ts";

/** Why ingest is paused, and since when (of `clock`). */
export interface Pause {
  readonly reason: "room" | "sqlite-full";
  readonly sinceMs: number;
  readonly volume: VolumeState;
  readonly floorBytes: number;
}

/** What the guard has to tell. */
export interface GuardEvents {
  /** Room gets short: retention is asked, ingest goes on. */
  pruning(volume: VolumeState, belowBytes: number): void;
  /** Back from `pruning` without a pause. */
  relieved(volume: VolumeState): void;
  paused(pause: Pause): void;
  resumed(volume: VolumeState, tookMs: number): void;
  ballastReleased(bytes: number): void;
  /** Looking or making room failed; the guard looks again. */
  failed(error: unknown): void;
}

export interface DiskGuardParts {
  readonly readVolume: () => Promise<VolumeState>;
  readonly ballast: Pick<Ballast, "bytes" | "grow" | "release">;
  readonly ingest: { pause(): void; resume(): void };
  /** Folds the head's log into head.db and cuts it. */
  readonly checkpoint: () => Promise<void>;
  /** A run of retention, by its policy. */
  readonly prune: () => Promise<unknown>;
  /** `min_free` in bytes, of a volume of this size; 0 where it is off. */
  readonly retentionFloor: (totalBytes: number) => number;
  readonly compactionBytes: number;
  readonly events: GuardEvents;
  /** Monotonic, in ms. */
  readonly clock?: () => number;
  readonly lookEveryMs?: number;
}
