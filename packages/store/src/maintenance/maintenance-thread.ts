import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

import { fromFailure, StoreError, toFailure } from "../errors.ts";
import { describeSqliteError, type HeadDatabase, openHeadForReading } from "../head/head-file.ts";
import { manifestVersion, type SegmentEntry, segmentsAt } from "../manifest/manifest.ts";
import { unlinkSegment } from "../manifest/segment-folder.ts";
import type { Swap, SwapResult } from "../manifest/swap.ts";
import { yieldToOthers } from "../thread.ts";
import { compact } from "./compaction.ts";
import { takeOutDeleted } from "./deletion.ts";
import { type JobContext, JobStopped, lastDelete } from "./job-context.ts";
import type {
  JobResult,
  MaintenanceReply,
  MaintenanceRequest,
  SegmentPart,
} from "./maintenance-messages.ts";
import { type MaintenanceJob, type MaintenanceState, nextJob } from "./maintenance-plan.ts";
import { merge } from "./merge.ts";
import { cutStreams, rewrite } from "./rewrite.ts";

/** Commits go first. Behind searches as well the head would grow for as long as somebody searches. */
const NICENESS = 5;

/** A job that another change made void begins again on what is stored then; so often it is no accident. */
const MOST_RETRIES = 10;

/** Does the jobs on segments one after the other, off every path that somebody waits on. */
class MaintenanceThread implements JobContext {
  readonly dataDir: string;
  readonly db: HeadDatabase;
  readonly #reply: (reply: MaintenanceReply) => void;
  readonly #waiting = new Map<number, PromiseWithResolvers<SwapResult | undefined>>();
  readonly #discarded: string[] = [];
  /** Segments that no job takes up. */
  readonly #unreadable = new Set<number>();
  #queue: Promise<void> = Promise.resolve();
  #isLooking = false;
  #isStopped = false;
  #nextId = 1;

  constructor(dataDir: string, reply: (reply: MaintenanceReply) => void) {
    this.dataDir = dataDir;
    this.db = openHeadForReading(join(dataDir, "head.db"));
    this.#reply = reply;
  }

  receive(request: MaintenanceRequest): void {
    switch (request.kind) {
      case "look":
        // What is due is found by the look that is under way or about to be.
        if (!this.#isLooking) {
          this.#isLooking = true;
          this.#enqueue(undefined, () => this.#work(false));
        }
        return;
      case "settle":
        this.#enqueue(request.id, () => this.#work(true));
        return;
      case "drop-parts":
        this.#enqueue(request.id, () => this.#dropParts(request.parts));
        return;
      case "deletes":
        this.#enqueue(request.id, async () => {
          const takenOut = await takeOutDeleted(this, MOST_RETRIES);
          return takenOut === undefined ? {} : { takenOut };
        });
        return;
      case "swapped":
        this.#take(request.id)?.resolve(request.result);
        return;
      case "announced":
        this.#take(request.id)?.resolve(undefined);
        return;
      case "refused":
        this.#take(request.id)?.reject(fromFailure(request.failure));
        return;
      case "stop":
        // A swap that is under way is still answered: its files must not go where it has been carried out.
        this.#isStopped = true;
        void this.#queue.then(() => {
          this.db.close();
          parentPort?.close();
        });
        return;
      default:
        request satisfies never;
    }
  }

  async announce(paths: readonly string[]): Promise<void> {
    await this.#ask((id) => ({ kind: "announce", id, paths }));
    // Its commit has taken the place of whatever a failed one may have left in the log.
    for (const path of this.#discarded.splice(0)) {
      unlinkSegment(this.dataDir, path);
    }
  }

  async swap(swap: Swap): Promise<SwapResult> {
    return (await this.#ask((id) => ({ kind: "swap", id, swap }))) as SwapResult;
  }

  discard(paths: readonly string[]): void {
    this.#discarded.push(...paths);
  }

  async checkpoint(): Promise<void> {
    await turn();
    if (this.#isStopped) {
      throw new JobStopped();
    }
  }

  nowUs(): number {
    return Date.now() * 1000;
  }

  unreadable({ id, path, records }: SegmentEntry, cause: Error): void {
    if (!this.#unreadable.has(id)) {
      this.#unreadable.add(id);
      const message = `${path}: ${records} records cannot be read (${cause.message})`;
      const advice = "keep the file, and run `sluice doctor`; a backup may hold the segment";
      const failure = toFailure(new StoreError("maintenance-failed", message, advice));
      this.#reply({ kind: "failed", id: undefined, failure });
    }
  }

  quarantined(what: string): void {
    this.#reply({ kind: "quarantined", what });
  }

  #ask(ask: (id: number) => MaintenanceReply): Promise<SwapResult | undefined> {
    const id = this.#nextId++;
    const answer = Promise.withResolvers<SwapResult | undefined>();
    this.#waiting.set(id, answer);
    this.#reply(ask(id));
    return answer.promise;
  }

  #take(id: number): PromiseWithResolvers<SwapResult | undefined> | undefined {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    return answer;
  }

  #enqueue(id: number | undefined, work: () => Promise<JobResult>): void {
    this.#queue = this.#queue.then(async () => {
      try {
        const result = this.#isStopped ? {} : await work();
        if (id !== undefined) {
          this.#reply({ kind: "done", id, result });
        }
      } catch (error) {
        if (!(error instanceof JobStopped)) {
          const described = describeSqliteError(error, this.dataDir);
          this.#reply({ kind: "failed", id, failure: toFailure(described) });
        }
      }
    });
  }

  /** Jobs until none is due. Between them newer requests wait no longer than one job. */
  async #work(isAsked: boolean): Promise<JobResult> {
    this.#isLooking &&= isAsked;
    const askedUpTo = isAsked ? this.#lastBatch() : undefined;
    for (let retries = 0; retries < MOST_RETRIES && !this.#isStopped;) {
      const state = this.#state(askedUpTo);
      this.#reply({ kind: "head", bytes: state.headBytes });
      const job = nextJob(state);
      if (job === undefined) {
        break;
      }
      retries = (await this.#run(job)) ? 0 : retries + 1;
      await this.checkpoint();
    }
    return {};
  }

  async #run(job: MaintenanceJob): Promise<boolean> {
    switch (job.kind) {
      case "compact":
        return (await compact(this, job.level)) !== undefined;
      case "merge": {
        const { segments, level } = job;
        return (await merge(this, { segments, level })) !== undefined;
      }
      default:
        return job satisfies never;
    }
  }

  async #dropParts(parts: readonly SegmentPart[]): Promise<JobResult> {
    let [records, bytes] = [0, 0];
    for (const { segment, streams } of parts) {
      const entry = segmentsAt(this.db, manifestVersion(this.db)).find(({ id }) => id === segment);
      if (entry !== undefined) {
        // Where another change comes first, the next prune finds what is left of it.
        const outcome = await rewrite(this, entry, {
          cutsOf: (runs) => cutStreams(runs, new Set(streams)),
          reason: "pruned",
          deletesSeen: lastDelete(this.db),
          detail: `one segment without ${streams.length} of its streams`,
        });
        records += outcome?.prunedRecords ?? 0;
        bytes += outcome === undefined ? 0 : entry.bytes - outcome.bytes;
      }
    }
    return { dropped: { records, bytes } };
  }

  #lastBatch(): number {
    return Number(this.db.prepare("SELECT max(id) FROM batches").pluck().get() ?? 0);
  }

  /** @param askedUpTo the last batch that somebody asked to have compacted; undefined where nobody did */
  #state(askedUpTo: number | undefined): MaintenanceState {
    return this.db.transaction(() => {
      const { headBytes, oldestReceivedUs, first } = this.db
        .prepare(
          `SELECT coalesce(sum(length(payload)), 0) AS headBytes, min(received_us) AS oldestReceivedUs,
             min(id) AS first FROM live_batches`,
        )
        .get() as { headBytes: number; oldestReceivedUs: number | null; first: number | null };
      return {
        headBytes,
        oldestReceivedUs: oldestReceivedUs ?? undefined,
        segments: segmentsAt(this.db, manifestVersion(this.db)).filter(
          ({ id }) => !this.#unreadable.has(id),
        ),
        nowUs: this.nowUs(),
        isAsked: askedUpTo !== undefined,
        isHeadAsked: first !== null && first <= (askedUpTo ?? 0),
      };
    })();
  }
}

const port = parentPort;
if (port !== null) {
  const { dataDir } = workerData as { dataDir: string };
  yieldToOthers(NICENESS);
  const thread = new MaintenanceThread(dataDir, (reply) => port.postMessage(reply));
  port.on("message", (request: MaintenanceRequest) => thread.receive(request));
}
