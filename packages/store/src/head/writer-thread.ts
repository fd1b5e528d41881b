import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";

import { CommitClock } from "./commit-clock.ts";
import { Committer, type PreparedRequest } from "./committer.ts";
import { StoreError, toFailure } from "../errors.ts";
import { describeSqliteError, isDiskFull, openHeadForWriting, truncateWal } from "./head-file.ts";
import { BackupRegister } from "../backup/backup-register.ts";
import { sweepSegments } from "../manifest/orphan-sweep.ts";
import { announceSegments, applySwap, recordJob } from "../manifest/swap.ts";
import { DeleteIssuer } from "./delete-issuer.ts";
import { Intake } from "./intake.ts";
import { Pruner } from "./pruner.ts";
import { reclaimableVersion, type Reclaimed, Reclaimer } from "./reclaimer.ts";
import type { CommitRequest, WriterReply, WriterRequest } from "./writer-messages.ts";

/** How often a full volume is tried again; whoever makes room there sends no event. */
const FULL_RETRY_MS = 250;

/** A request as it waits for room: of an append only its size is looked at. */
type HeldRequest =
  | Exclude<CommitRequest, { kind: "append" }>
  | { readonly kind: "append"; readonly connection: number; readonly bytes: number };

/**
 * The thread that owns every write to `head.db`: a commit's fsync never blocks the event loop
 * that holds the sockets. Requests gather until the commit clock says so and then share one
 * transaction; replies leave only after its fsync. The first failure to commit ends the thread:
 * after a failed fsync nobody can know what the disk holds. A full volume is the one exception: the
 * commit is rolled back, its frames are dropped unacknowledged, and the rest is tried again.
 */
class WriterThread {
  readonly #dataDir: string;
  readonly #path: string;
  readonly #reply: (message: WriterReply) => void;
  readonly #db;
  readonly #committer: Committer;
  readonly #pruner: Pruner;
  readonly #deletes: DeleteIssuer;
  readonly #reclaimer: Reclaimer;
  readonly #backups: BackupRegister;
  readonly #clock = new CommitClock();
  readonly #intake = new Intake((requests) => this.#receiveReady(requests));
  #pending: PreparedRequest[] = [];
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #failed = false;
  #isFull = false;

  constructor(dataDir: string, reply: (message: WriterReply) => void) {
    const path = join(dataDir, "head.db");
    this.#dataDir = dataDir;
    this.#path = path;
    this.#reply = reply;
    this.#db = openHeadForWriting(path);
    const sweep = sweepSegments(this.#db, dataDir);
    this.#committer = new Committer(this.#db);
    this.#pruner = new Pruner(this.#db);
    this.#deletes = new DeleteIssuer(this.#db, this.#committer);
    this.#reclaimer = new Reclaimer(this.#db);
    this.#backups = new BackupRegister(this.#db);
    this.#backups.recover();
    const storeId = this.#db
      .prepare("SELECT value FROM meta WHERE key = 'store_id'")
      .pluck()
      .get() as string;
    const { highWater } = this.#committer;
    reply({ kind: "ready", storeId, highWater, sweep, hasDeletes: this.#deletes.hasUndone });
  }

  receive(request: WriterRequest): void {
    if (this.#failed) {
      return;
    }
    try {
      this.#take(request);
    } catch (error) {
      this.#refuseOrFail("id" in request ? request.id : undefined, error);
    }
  }

  fail(error: unknown): void {
    this.#failed = true;
    const known = describeSqliteError(error, this.#path);
    const detail = error instanceof Error ? error.message : String(error);
    const described =
      known instanceof StoreError
        ? known
        : new StoreError(
            "commit-failed",
            `${this.#path}: writing failed (${detail})`,
            "what was acknowledged is on disk and agents send the rest again; look for the disk's own errors in the system's log before starting again",
          );
    this.#reply({ kind: "failed", failure: toFailure(described) });
  }

  #take(request: WriterRequest): void {
    switch (request.kind) {
      case "introduce":
      case "open":
      case "disconnect":
      case "append":
      case "shed":
        this.#enqueue(request);
        return;
      case "ask":
        this.#reply({ kind: "done", id: request.id });
        return;
      case "prune":
        this.#reply({ kind: "pruned", id: request.id, result: this.#pruner.run(request.order) });
        return;
      case "delete":
        this.#commitAll(); // what has arrived is deleted too
        this.#reply({
          kind: "deleted",
          id: request.id,
          issued: this.#deletes.issue(request.order),
        });
        return;
      case "close-receipts": {
        this.#commit();
        const receivedUs = this.#committer.closeReceipts();
        const { highWater } = this.#committer;
        this.#reply({ kind: "receipts-closed", id: request.id, closed: { receivedUs, highWater } });
        return;
      }
      case "announce":
        announceSegments(this.#db, request.paths);
        this.#reply({ kind: "done", id: request.id });
        return;
      case "swap": {
        const result = applySwap(this.#db, request.swap);
        if (request.swap.deletesDone !== undefined) {
          this.#deletes.setOverwriting();
        }
        this.#reply({ kind: "swapped", id: request.id, result });
        return;
      }
      case "record":
        recordJob(this.#db, request.job);
        this.#reply({ kind: "done", id: request.id });
        return;
      case "reclaim": {
        const { id, keepFreeBytes } = request;
        const removedUpTo = reclaimableVersion(this.#db, this.#dataDir, Date.now());
        this.#step(id, this.#reclaimer.run({ removedUpTo, keepFreeBytes }));
        return;
      }
      case "forget":
        this.#reclaimer.forget(request.segmentIds);
        this.#reply({ kind: "done", id: request.id });
        return;
      case "begin-backup": {
        const backup = this.#backups.begin(request.place);
        this.#reply({ kind: "backup-begun", id: request.id, backup });
        return;
      }
      case "end-backup":
        if (request.lastDelete === undefined) {
          this.#backups.drop(request.backup);
        } else {
          this.#backups.finish(request.backup, request.lastDelete);
        }
        this.#reply({ kind: "done", id: request.id });
        return;
      case "checkpoint":
        this.#commitAll();
        this.#reply({ kind: "checkpointed", id: request.id, isCut: truncateWal(this.#db) });
        return;
      case "close":
        this.#commitAll();
        clearTimeout(this.#timer); // what still waits for room was never acknowledged
        this.#db.close();
        this.#reply({ kind: "done", id: request.id });
        return;
      default:
        request satisfies never;
    }
  }

  #enqueue(request: CommitRequest): void {
    if (this.#isFull) {
      this.#hold(
        request.kind === "append" ? { ...request, bytes: request.message.length } : request,
      );
      return;
    }
    this.#intake.push(request);
  }

  /** Requests that can be committed, in the order in which they came. */
  #receiveReady(requests: readonly PreparedRequest[]): void {
    if (this.#isFull) {
      this.#hold(...requests);
      return;
    }
    for (const request of requests) {
      this.#pending.push(request);
      this.#pendingBytes += request.kind === "append" ? request.bytes : 0;
    }
    const dueInMs = this.#clock.dueInMs(this.#pendingBytes, performance.now());
    if (dueInMs > 0) {
      this.#timer ??= setTimeout(() => this.#commitDue(), dueInMs);
    } else {
      // Not at once: what else has arrived in this turn of the loop shares the fsync.
      this.#immediate ??= setImmediate(() => this.#commitDue());
    }
  }

  /** One slice at a time, so that commits of agents go on in between. */
  #step(id: number, reclaim: Generator<undefined, Reclaimed>): void {
    const step = reclaim.next();
    if (step.done === true) {
      this.#reply({ kind: "reclaimed", id, result: step.value });
      return;
    }
    setImmediate(() => {
      if (this.#failed) {
        return;
      }
      try {
        this.#step(id, reclaim);
      } catch (error) {
        this.#refuseOrFail(id, error);
      }
    });
  }

  /** Commits also what is still being made ready. */
  #commitAll(): void {
    this.#intake.flush();
    this.#commit();
  }

  #commitDue(): void {
    try {
      this.#commit();
    } catch (error) {
      this.fail(error);
    }
  }

  #commit(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
    if (this.#pending.length === 0) {
      return;
    }
    const requests = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    let replies: readonly WriterReply[];
    try {
      replies = this.#committer.commit(requests, Date.now() * 1000);
    } catch (error) {
      if (!isDiskFull(error)) {
        throw error;
      }
      this.#isFull = true;
      this.#hold(...requests);
      return;
    }
    this.#isFull = false;
    this.#clock.committed(performance.now());
    for (const message of replies) {
      this.#reply(message);
    }
  }

  /** Keeps what must still be done when there is room; of frames, that their streams go back. */
  #hold(...requests: readonly HeldRequest[]): void {
    const dropped = new Map<number, number>();
    for (const request of requests) {
      if (request.kind !== "append") {
        this.#pending.push(request);
        continue;
      }
      const { connection, bytes } = request;
      dropped.set(connection, (dropped.get(connection) ?? 0) + bytes);
      if (!this.#pending.some((held) => held.kind === "shed" && held.connection === connection)) {
        this.#pending.push({ kind: "shed", connection, reason: "storage" });
      }
    }
    this.#timer ??= setTimeout(() => this.#commitDue(), FULL_RETRY_MS);
    this.#reply({ kind: "full", dropped });
  }

  /** Where the volume is full, one request that waits for an answer is refused, and no more. */
  #refuseOrFail(id: number | undefined, error: unknown): void {
    if (id === undefined || !isDiskFull(error)) {
      this.fail(error);
      return;
    }
    const failure = toFailure(describeSqliteError(error, this.#path));
    this.#reply({ kind: "refused", id, failure });
  }
}

const port = parentPort;
if (port !== null) {
  const { dataDir } = workerData as { dataDir: string };
  const reply = (message: WriterReply): void => port.postMessage(message);
  try {
    const thread = new WriterThread(dataDir, reply);
    port.on("message", (request: WriterRequest) => {
      thread.receive(request);
      if (request.kind === "close") {
        port.close();
      }
    });
  } catch (error) {
    reply({
      kind: "failed",
      failure: toFailure(describeSqliteError(error, join(dataDir, "head.db"))),
    });
  }
}
