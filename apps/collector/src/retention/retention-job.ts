import type { RetentionPolicy } from "@sluice/retention";
import { type Store, StoreError } from "@sluice/store";

import type { Clocks, ClockWatch, Suspension } from "./clock-watch.ts";
import { SYSTEM_CLOCKS } from "./clock-watch.ts";
import { folderBytes } from "./inventory.ts";
import { cutoffsNow, type DecideRetention, type RetentionQuestion } from "./retention-decision.ts";
import { formatPlan, type PlanReport, type PruneReport } from "./retention-report.ts";

/** A record is out of sight at most this long after its time, and a cap is exceeded at most this long. */
const CYCLE_MS = 60_000;

/** What a run has to tell. */
export interface RetentionEvents {
  /** A run is over; most drop nothing. */
  pruned(report: PruneReport, summary: string): void;
  /** Nothing goes for its age from now on. Told once, and at start where it was so before. */
  suspended(suspension: Suspension): void;
  /** A run failed; the next one comes with the next cycle. */
  failed(error: unknown): void;
}

export interface RetentionParts {
  readonly store: Pick<Store, "prune">;
  readonly decide: DecideRetention;
  readonly dataDir: string;
  readonly policy: RetentionPolicy;
  readonly watch: ClockWatch;
  readonly events: RetentionEvents;
  readonly clocks?: Clocks | undefined;
  readonly cycleMs?: number | undefined;
}

/**
 * Applies the policy to what is stored: at once when started, then every minute, and when asked.
 * Each run commits the cutoffs, so that what is past its time is out of sight before its bytes go;
 * runs follow one another, never overlap.
 */
export class RetentionJob implements AsyncDisposable {
  readonly #parts: RetentionParts;
  readonly #clocks: Clocks;
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #told: Suspension | undefined;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#clocks = parts.clocks ?? SYSTEM_CLOCKS;
  }

  /**
   * Begins the cycles. Resolves when the policy's cutoffs are in force, before the first cycle is
   * over, which may have much to drop.
   */
  async start(): Promise<void> {
    try {
      await this.#enqueue(() => this.#commitCutoffs());
    } catch (error) {
      // A collector that does not start on a full volume could not make room on it either.
      if (!(error instanceof StoreError && error.code === "disk-full")) {
        throw error;
      }
      this.#parts.events.failed(error);
    }
    void this.#cycle();
  }

  /** Why nothing goes for its age at the moment. */
  get suspension(): Suspension | undefined {
    return this.#parts.watch.look();
  }

  /** What a run would do now. Changes nothing. */
  async plan(): Promise<PlanReport> {
    const { decide, watch } = this.#parts;
    return (await decide(this.#question(watch.look()))).report;
  }

  /** Runs now, behind a run that is under way. */
  prune(): Promise<PruneReport> {
    return this.#enqueue(() => this.#run());
  }

  /** A person says that the clock is right: ages count again with the next run. */
  async confirmClock(): Promise<void> {
    await this.#enqueue(() => this.#parts.watch.confirm());
  }

  /** Waits for a run that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#last;
  }

  async #commitCutoffs(): Promise<void> {
    const { store, policy } = this.#parts;
    const question = this.#question(await this.#observe());
    const { nowUs } = question;
    await store.prune({
      visibility: { policy, cutoffs: cutoffsNow(question) },
      batchIds: [],
      segmentIds: [],
      segmentParts: [],
      job: { dueUs: nowUs, startedUs: nowUs, detail: "cutoffs of the policy at start" },
    });
  }

  async #cycle(): Promise<void> {
    const { cycleMs = CYCLE_MS, events } = this.#parts;
    try {
      await this.prune();
    } catch (error) {
      if (!this.#isStopped) {
        events.failed(error);
      }
    }
    if (!this.#isStopped) {
      this.#timer = setTimeout(() => void this.#cycle(), cycleMs);
    }
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isStopped) {
      return Promise.reject(new Error("the collector is stopping"));
    }
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined); // its caller is told
    return result;
  }

  async #run(): Promise<PruneReport> {
    const { store, decide, dataDir, policy, events } = this.#parts;
    const question = this.#question(await this.#observe());
    const { cutoffs, report, ...places } = await decide(question);
    const startedUs = this.#clocks.wallUs();
    const summary = formatPlan(report);
    const diskBytesBefore = await folderBytes(dataDir);
    const result = await store.prune({
      visibility: { policy, cutoffs },
      ...places,
      job: { dueUs: question.nowUs, startedUs, detail: summary },
    });
    const diskBytesAfter = await folderBytes(dataDir);
    const segmentParts = places.segmentParts.length;
    const outcome = { plan: report, ...result, segmentParts, diskBytesBefore, diskBytesAfter };
    events.pruned(outcome, summary);
    return outcome;
  }

  #question(suspension: Suspension | undefined): RetentionQuestion {
    const { dataDir, policy } = this.#parts;
    return { dataDir, policy, suspension, nowUs: this.#clocks.wallUs() };
  }

  async #observe(): Promise<Suspension | undefined> {
    const suspension = await this.#parts.watch.observe();
    if (suspension !== undefined && suspension !== this.#told) {
      this.#parts.events.suspended(suspension);
    }
    this.#told = suspension;
    return suspension;
  }
}
