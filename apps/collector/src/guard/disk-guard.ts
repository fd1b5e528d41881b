import type { CommitReport } from "@sluice/store";

import { ballastBytesFor } from "./ballast.ts";
import {
  guardDecision,
  type GuardDecision,
  type GuardLevels,
  type GuardState,
} from "./guard-policy.ts";
import type { DiskGuardParts, Pause } from "./guard-parts.ts";
import { IngestRate } from "./ingest-rate.ts";
import type { VolumeState } from "./volume-watch.ts";

const MiB = 1024 * 1024;

/** A full volume is found out by looking: nothing tells when others fill it or make room. */
const LOOK_EVERY_MS = 500;

/** Bytes committed, compressed as they came, after which the guard looks before its time, at most. */
const LOOK_AFTER_BYTES = 16 * MiB;

/** A prune lists all that is stored: it follows the last one by this, and takes at most a tenth of the time. */
const PRUNE_EVERY_MS = 2_000;
const PRUNE_PAUSES = 10;

/** After SQLite found no room, whatever the operating system says: no more than one try in this time. */
const HOLD_MS = 2_000;

/** Below this a log is not worth a checkpoint that holds up commits. */
const LEAST_WAL_BYTES = 1 * MiB;

/** On a roomy volume the ballast is laid when the start is long over: a short run leaves none behind. */
const LAY_AFTER_MS = 30_000;

/**
 * Below so many times the ballast's size, 2.5 GiB, a volume may be full before anyone has looked
 * twice; one of which the ballast is a 20th is always there.
 */
const TIGHT_BELOW_BALLASTS = 20;

const UNSEEN: VolumeState = {
  freeBytes: 0,
  totalBytes: 0,
  roomBytes: 0,
  walBytes: 0,
  foldBytes: 0,
  missingBallastBytes: 0,
};

/**
 * Keeps a full volume from ending the collector: makes room while there still is some (the log,
 * then what the policy gives), takes the agents' credit away below the floor, releases the ballast
 * in an emergency, and gives the credit back by itself. Queries and administration are not its
 * business and go on. One look at a time.
 */
export class DiskGuard implements AsyncDisposable {
  readonly #parts: DiskGuardParts;
  readonly #clock: () => number;
  readonly #startedMs: number;
  readonly #rate: IngestRate;
  #state: GuardState = "open";
  #pause: Pause | undefined;
  #volume: VolumeState = UNSEEN;
  #told: string | undefined;
  #holdUntilMs = 0;
  #unlookedBytes = 0;
  #lookAfterBytes = LEAST_WAL_BYTES;
  #pruneDueMs = 0;
  #pruning: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: DiskGuardParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? (() => performance.now());
    this.#startedMs = this.#clock();
    this.#rate = new IngestRate(this.#startedMs);
  }

  get state(): GuardState {
    return this.#state;
  }

  /** Undefined while agents have credit. */
  get pause(): Pause | undefined {
    return this.#pause;
  }

  /** Looks for the first time, so that the state is known before an agent comes in, then for good. */
  async start(): Promise<void> {
    await this.look();
    this.#schedule();
  }

  /** Messages were committed, compressed as they came. */
  committed({ messageBytes }: Pick<CommitReport, "messageBytes">): void {
    for (const bytes of messageBytes.values()) {
      this.#rate.add(bytes);
      this.#unlookedBytes += bytes;
    }
    if (this.#unlookedBytes >= this.#lookAfterBytes) {
      void this.look();
    }
  }

  /** SQLite found no room: the one sure sign. Told again and again until there is some. */
  full(): void {
    this.#holdUntilMs = this.#clock() + HOLD_MS;
    this.#close("sqlite-full", this.#volume, 0);
    this.#releaseBallast().catch((error: unknown) => this.#tell(error));
  }

  /** Looks now; with a look under way, its end. */
  look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#pruning;
  }

  #schedule(): void {
    if (!this.#isStopped) {
      this.#timer = setTimeout(() => {
        void this.look().then(() => this.#schedule());
      }, this.#parts.lookEveryMs ?? LOOK_EVERY_MS);
    }
  }

  async #lookNow(): Promise<void> {
    this.#unlookedBytes = 0;
    try {
      const volume = await this.#parts.readVolume();
      this.#volume = volume;
      const decision = this.#decide(volume);
      this.#enter(decision, volume);
      await this.#act(decision, volume);
    } catch (error) {
      this.#tell(error);
    }
  }

  #decide(volume: VolumeState): GuardDecision {
    const { retentionFloor, compactionBytes } = this.#parts;
    const { roomBytes, totalBytes } = volume;
    return guardDecision({
      roomBytes,
      totalBytes,
      retentionFloorBytes: retentionFloor(totalBytes),
      ingestBytesPerSecond: this.#rate.perSecond(this.#clock()),
      compactionBytes,
      state: this.#state,
    });
  }

  #enter({ state, levels }: GuardDecision, volume: VolumeState): void {
    const { events, ingest } = this.#parts;
    const before = this.#state;
    if (state === before || (before === "closed" && this.#clock() < this.#holdUntilMs)) {
      return;
    }
    if (state === "closed") {
      this.#close("room", volume, levels.closeBelow);
      return;
    }
    this.#state = state;
    const paused = this.#pause;
    if (paused !== undefined) {
      this.#pause = undefined;
      ingest.resume();
      events.resumed(volume, this.#clock() - paused.sinceMs);
    } else if (state === "pruning") {
      events.pruning(volume, levels.pruneBelow);
    } else {
      events.relieved(volume);
    }
  }

  #close(reason: Pause["reason"], volume: VolumeState, floorBytes: number): void {
    this.#state = "closed";
    if (this.#pause === undefined) {
      this.#pause = { reason, sinceMs: this.#clock(), volume, floorBytes };
      this.#parts.ingest.pause();
      this.#parts.events.paused(this.#pause);
    }
  }

  async #act({ levels, isEmergency }: GuardDecision, volume: VolumeState): Promise<void> {
    // Were the volume full in the next moment, the ballast would hold what the log has to fold in.
    const foldAbove = Math.max(LEAST_WAL_BYTES, ballastBytesFor(volume.totalBytes) / 2);
    const lookAfter = Math.min(LOOK_AFTER_BYTES, foldAbove, levels.closeBelow / 4);
    this.#lookAfterBytes = Math.max(LEAST_WAL_BYTES, lookAfter);
    if (isEmergency) {
      await this.#releaseBallast();
    }
    const isFoldDue = volume.foldBytes > foldAbove && isTight(volume);
    if (isFoldDue || this.#isLogWorthCutting(levels, volume)) {
      // Where this fails a prune may still help: it leaves head.db fewer pages to grow by.
      await this.#parts.checkpoint().catch((error: unknown) => this.#tell(error));
    }
    if (this.#state === "open") {
      this.#told = undefined;
      await this.#layBallast(volume);
    } else if (this.#pruning === undefined && this.#clock() >= this.#pruneDueMs) {
      // Not awaited: what it takes is a reason to go on looking.
      this.#pruning = this.#prune();
    }
  }

  /** A log keeps its length when it has been folded in: cutting it returns that room. */
  #isLogWorthCutting({ closeBelow }: GuardLevels, { walBytes }: VolumeState): boolean {
    const worthBytes = this.#state === "closed" ? LEAST_WAL_BYTES : closeBelow / 8;
    return this.#state !== "open" && walBytes >= Math.max(LEAST_WAL_BYTES, worthBytes);
  }

  async #prune(): Promise<void> {
    const startedMs = this.#clock();
    try {
      await this.#parts.prune();
    } catch (error) {
      this.#tell(error);
    }
    const endedMs = this.#clock();
    this.#pruneDueMs = endedMs + Math.max(PRUNE_EVERY_MS, (endedMs - startedMs) * PRUNE_PAUSES);
    this.#pruning = undefined;
  }

  async #layBallast(volume: VolumeState): Promise<void> {
    const { ballast } = this.#parts;
    const { missingBallastBytes } = volume;
    if (missingBallastBytes === 0) {
      return;
    }
    const bytes = await ballast.bytes();
    const wantedBytes = bytes + missingBallastBytes;
    const isCalm = this.#clock() - this.#startedMs >= LAY_AFTER_MS;
    if (isCalm || bytes > 0 || isTight(volume)) {
      await ballast.grow(wantedBytes);
    }
  }

  async #releaseBallast(): Promise<void> {
    const bytes = await this.#parts.ballast.release();
    if (bytes > 0) {
      this.#parts.events.ballastReleased(bytes);
    }
  }

  /** The same failure at each look is told once. */
  #tell(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (!this.#isStopped && text !== this.#told) {
      this.#told = text;
      this.#parts.events.failed(error);
    }
  }
}

function isTight({ roomBytes, totalBytes }: VolumeState): boolean {
  return roomBytes < ballastBytesFor(totalBytes) * TIGHT_BELOW_BALLASTS;
}
