import type { Worker } from "node:worker_threads";
import type { UnfinishedStream } from "@sluice/protocol";

import { StoreError, fromFailure } from "../errors.ts";
import type { AgentIntroduction, OpenedStream } from "./head.ts";
import type { SweepReport } from "../manifest/orphan-sweep.ts";
import type { BackupPlace } from "../backup/backup-register.ts";
import type { JobRecord, Swap, SwapResult } from "../manifest/swap.ts";
import type { DeleteOrder, IssuedDelete } from "./delete-issuer.ts";
import type { PruneOrder, PruneResult } from "./pruner.ts";
import type { Reclaimed } from "./reclaimer.ts";
import { startThread } from "../thread.ts";
import type {
  ClosedReceipts,
  CommitReport,
  DroppedBytes,
  NumberedOpening,
  WriterReply,
  WriterRequest,
} from "./writer-messages.ts";

/** What the writer tells on its own account. */
export interface WriterEvents {
  /** Frames were committed and fsynced: acks may leave now. */
  committed(report: CommitReport): void;
  /** A commit failed; the writer has stopped and nothing more will be acknowledged. */
  failed(error: StoreError): void;
  /** The volume is full: these messages were dropped, their streams are reset when there is room. */
  full(dropped: DroppedBytes): void;
}

interface Waiter {
  resolve(reply: WriterReply): void;
  reject(error: Error): void;
}

/** The store's writing side as the main thread sees it: requests in, commits out. */
export class Writer implements AsyncDisposable {
  readonly storeId: string;
  /** What was put in order before the first request. */
  readonly sweep: SweepReport;
  /** Deletes were issued whose records are still in the files, as of the start. */
  readonly hasDeletes: boolean;
  readonly #worker: Worker;
  readonly #waiters = new Map<number, Waiter>();
  readonly #events: WriterEvents;
  #highWater: number;
  #nextId = 1;
  #error: StoreError | undefined;
  #isClosing = false;

  private constructor(
    worker: Worker,
    ready: Extract<WriterReply, { kind: "ready" }>,
    events: WriterEvents,
  ) {
    this.#worker = worker;
    this.#events = events;
    this.storeId = ready.storeId;
    this.sweep = ready.sweep;
    this.hasDeletes = ready.hasDeletes;
    this.#highWater = ready.highWater;
    worker.on("message", (reply: WriterReply) => this.#receive(reply));
    worker.on("error", (error: Error) => this.#fail(lostThread(error)));
    worker.on("exit", () => this.#fail(lostThread()));
  }

  /** @throws StoreError where the head cannot be opened */
  static async start(dataDir: string, events: WriterEvents): Promise<Writer> {
    const worker = startThread("./writer-thread", import.meta.url, "sluice-writer", { dataDir });
    const ready = await new Promise<Extract<WriterReply, { kind: "ready" }>>((resolve, reject) => {
      const ended = (): void => reject(lostThread());
      worker.once("error", reject);
      worker.once("exit", ended);
      worker.once("message", (reply: WriterReply) => {
        worker.off("error", reject);
        worker.off("exit", ended);
        if (reply.kind === "ready") {
          resolve(reply);
        } else {
          void worker.terminate();
          reject(reply.kind === "failed" ? fromFailure(reply.failure) : lostThread());
        }
      });
    });
    return new Writer(worker, ready, events);
  }

  /** Highest batch id that is committed. */
  get highWater(): number {
    return this.#highWater;
  }

  async introduce(
    agent: AgentIntroduction,
  ): Promise<{ agent: number; unfinished: readonly UnfinishedStream[] }> {
    const reply = await this.#request((id) => ({ kind: "introduce", id, agent }));
    return expect(reply, "introduced");
  }

  async open(
    connection: number,
    agent: number,
    host: string,
    openings: readonly NumberedOpening[],
  ): Promise<readonly (OpenedStream & { readonly stream: number })[]> {
    const reply = await this.#request((id) => ({
      kind: "open",
      id,
      connection,
      agent,
      host,
      openings,
    }));
    return expect(reply, "opened").streams;
  }

  /** Takes over a binary message of frames; its buffer is transferred where it is whole. */
  append(connection: number, message: Uint8Array): void {
    const isWhole =
      message.byteOffset === 0 &&
      message.byteLength === message.buffer.byteLength &&
      message.byteLength > 0; // ws has one buffer for every message that is empty
    // A view into a larger buffer would take all of that along. Not `slice`: a Buffer's is a view too.
    const owned = isWhole ? message : new Uint8Array(message);
    const bytes = new Uint8Array(owned.buffer as ArrayBuffer, owned.byteOffset, owned.byteLength);
    this.#post({ kind: "append", connection, message: bytes }, [bytes.buffer]);
  }

  /** A message of this connection was dropped: all its streams go back to what is stored. */
  shed(connection: number): void {
    this.#post({ kind: "shed", connection, reason: "overloaded" });
  }

  /** Frames of this connection that are still waiting are no longer taken. */
  disconnect(connection: number): void {
    this.#post({ kind: "disconnect", connection });
  }

  async answer(): Promise<void> {
    expect(await this.#request((id) => ({ kind: "ask", id })), "done");
  }

  async prune(order: PruneOrder): Promise<PruneResult> {
    const reply = await this.#request((id) => ({ kind: "prune", id, order }));
    return expect(reply, "pruned").result;
  }

  async delete(order: DeleteOrder): Promise<IssuedDelete> {
    const reply = await this.#request((id) => ({ kind: "delete", id, order }));
    return expect(reply, "deleted").issued;
  }

  /** Commits what is pending, and draws a line behind it. */
  async closeReceipts(): Promise<ClosedReceipts> {
    const reply = await this.#request((id) => ({ kind: "close-receipts", id }));
    return expect(reply, "receipts-closed").closed;
  }

  async announce(paths: readonly string[]): Promise<void> {
    expect(await this.#request((id) => ({ kind: "announce", id, paths })), "done");
  }

  async swap(swap: Swap): Promise<SwapResult> {
    const reply = await this.#request((id) => ({ kind: "swap", id, swap }));
    return expect(reply, "swapped").result;
  }

  async record(job: JobRecord): Promise<void> {
    expect(await this.#request((id) => ({ kind: "record", id, job })), "done");
  }

  async reclaim(keepFreeBytes: number): Promise<Reclaimed> {
    const reply = await this.#request((id) => ({ kind: "reclaim", id, keepFreeBytes }));
    return expect(reply, "reclaimed").result;
  }

  async forget(segmentIds: readonly number[]): Promise<void> {
    expect(await this.#request((id) => ({ kind: "forget", id, segmentIds })), "done");
  }

  /** Writes down that a backup is being made. Returns the number to end it by. */
  async beginBackup(place: BackupPlace): Promise<number> {
    const reply = await this.#request((id) => ({ kind: "begin-backup", id, place }));
    return expect(reply, "backup-begun").backup;
  }

  /** @param lastDelete undefined where nothing came of the backup */
  async endBackup(backup: number, lastDelete: number | undefined): Promise<void> {
    expect(await this.#request((id) => ({ kind: "end-backup", id, backup, lastDelete })), "done");
  }

  /**
   * Commits what is pending, folds the WAL into the database file and cuts it. False where a reader still
   * needs what is in it.
   */
  async checkpoint(): Promise<boolean> {
    const reply = await this.#request((id) => ({ kind: "checkpoint", id }));
    return expect(reply, "checkpointed").isCut;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    if (this.#error === undefined) {
      expect(await this.#request((id) => ({ kind: "close", id })), "done");
    }
    this.#error ??= new StoreError("closed", "the store is closed", "this is a defect of Sluice");
    await this.#worker.terminate();
  }

  #request(build: (id: number) => WriterRequest): Promise<WriterReply> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(this.#error);
        return;
      }
      this.#waiters.set(id, { resolve, reject });
      this.#post(build(id));
    });
  }

  #post(request: WriterRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #receive(reply: WriterReply): void {
    switch (reply.kind) {
      case "committed":
        this.#highWater = reply.report.highWater;
        this.#events.committed(reply.report);
        return;
      case "failed":
        this.#fail(fromFailure(reply.failure));
        return;
      case "full":
        this.#events.full(reply.dropped);
        return;
      case "refused":
        this.#take(reply.id)?.reject(fromFailure(reply.failure));
        return;
      case "ready":
        return;
      case "introduced":
      case "opened":
      case "pruned":
      case "deleted":
      case "receipts-closed":
      case "swapped":
      case "checkpointed":
      case "reclaimed":
      case "backup-begun":
      case "done":
        this.#take(reply.id)?.resolve(reply);
        return;
      default:
        reply satisfies never;
    }
  }

  #take(id: number): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    return waiter;
  }

  #fail(error: StoreError): void {
    if (this.#error !== undefined) {
      return;
    }
    this.#error = error;
    for (const waiter of this.#waiters.values()) {
      waiter.reject(error);
    }
    this.#waiters.clear();
    // A thread that was asked to close may end in the same turn in which it says so.
    if (!this.#isClosing) {
      this.#events.failed(error);
    }
  }
}

function expect<K extends WriterReply["kind"]>(
  reply: WriterReply,
  kind: K,
): Extract<WriterReply, { kind: K }> {
  if (reply.kind !== kind) {
    throw new Error(`the writer answered ${reply.kind} where ${kind} was due`);
  }
  return reply as Extract<WriterReply, { kind: K }>;
}

function lostThread(cause?: Error): StoreError {
  return new StoreError(
    "commit-failed",
    `the writer thread ended unexpectedly${cause === undefined ? "" : `: ${cause.message}`}`,
    "restart the collector; what was acknowledged is on disk, and agents send the rest again",
    cause === undefined ? undefined : { cause },
  );
}
