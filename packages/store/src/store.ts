import { join } from "node:path";
import type { UnfinishedStream } from "@sluice/protocol";

import { backUp, type BackupResult } from "./backup/backup.ts";
import { checkNoHalfRestore } from "./backup/restore-place.ts";
import { DeleteLogWriter } from "./backup/delete-log-writer.ts";
import { makeDataDir } from "./data-folder.ts";
import { DeleteRemoval } from "./delete-removal.ts";
import { Checkpointer } from "./head/checkpointer.ts";
import { StoreError } from "./errors.ts";
import type { AgentIntroduction, OpenedStream } from "./head/head.ts";
import { StoreLock } from "./store-lock.ts";
import type { DeleteOrder, IssuedDelete } from "./head/delete-issuer.ts";
import type { PruneOrder, PruneResult } from "./head/pruner.ts";
import { Maintenance } from "./maintenance/maintenance.ts";
import type { SegmentPart } from "./maintenance/maintenance-messages.ts";
import { COMPACT_HEAD_BYTES } from "./maintenance/maintenance-plan.ts";
import type { JobRecord } from "./manifest/swap.ts";
import { SpaceReturn } from "./space-return.ts";
import type { StoreEvents } from "./store-events.ts";
import { Writer } from "./head/writer.ts";
import type { ClosedReceipts, NumberedOpening } from "./head/writer-messages.ts";

/** What retention drops, and what is recorded of it. */
export interface RetentionOrder extends PruneOrder {
  /** Parts of segments, which are written anew without them. */
  readonly segmentParts: readonly SegmentPart[];
  readonly job: Pick<JobRecord, "dueUs" | "startedUs" | "detail">;
}

export interface RetentionResult extends PruneResult {
  readonly tookMs: number;
}

/** What is due is looked for this often, and whenever enough has come in. */
const LOOK_EVERY_MS = 5_000;

/** The collected data of one collector, open for writing: one process at a time. */
export class Store implements AsyncDisposable {
  readonly dataDir: string;
  readonly #lock: StoreLock;
  readonly #writer: Writer;
  readonly #checkpointer: Checkpointer;
  readonly #maintenance: Maintenance;
  readonly #space: SpaceReturn;
  readonly #removal: DeleteRemoval;
  readonly #looking: NodeJS.Timeout;
  readonly #deleteLogs: DeleteLogWriter;
  readonly #stopping = new AbortController();
  #backingUp: Promise<unknown> = Promise.resolve();
  #bytesSinceLook = 0;
  #headBytes = 0;

  private constructor(
    dataDir: string,
    lock: StoreLock,
    writer: Writer,
    checkpointer: Checkpointer,
    events: StoreEvents,
  ) {
    this.dataDir = dataDir;
    this.#lock = lock;
    this.#writer = writer;
    this.#checkpointer = checkpointer;
    this.#deleteLogs = new DeleteLogWriter(dataDir, (notice) => events.noticed(notice));
    const failed = (error: StoreError): void =>
      events.noticed({ kind: "maintenance-failed", error });
    this.#space = new SpaceReturn(dataDir, writer, checkpointer, failed);
    this.#maintenance = new Maintenance(dataDir, writer, {
      swapped: () => this.#space.look(),
      measured: (headBytes) => {
        this.#headBytes = headBytes;
      },
      quarantined: (what) => events.noticed({ kind: "quarantined", what }),
      failed,
    });
    const parts = { maintenance: this.#maintenance, space: this.#space, writer, failed };
    this.#removal = new DeleteRemoval(parts, writer.hasDeletes);
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** @throws StoreError where the folder is in use, damaged, or of a newer version */
  static async open(dataDir: string, events: StoreEvents): Promise<Store> {
    await makeDataDir(dataDir);
    const lock = StoreLock.acquire(dataDir);
    try {
      checkNoHalfRestore(dataDir);
      const path = join(dataDir, "head.db");
      const checkpointer = new Checkpointer(path, (cause) => {
        const message = `a checkpoint failed: ${cause.message}`;
        events.failed(new StoreError("commit-failed", message, "check the disk", { cause }));
      });
      let store: Store | undefined = undefined;
      const writer = await Writer.start(dataDir, {
        committed: (report) => {
          let bytes = 0;
          for (const count of report.messageBytes.values()) {
            bytes += count;
          }
          checkpointer.committed(bytes);
          if (store !== undefined) {
            store.#committed(bytes);
          }
          events.committed(report);
        },
        failed: (error) => events.failed(error),
        full: (dropped) => events.full(dropped),
      });
      for (const what of writer.sweep.quarantined) {
        events.noticed({ kind: "quarantined", what });
      }
      for (const missing of writer.sweep.missing) {
        events.noticed({ kind: "missing", path: missing });
      }
      store = new Store(dataDir, lock, writer, checkpointer, events);
      await store.#deleteLogs.write();
      store.#removal.look(); // a crash, or a restore, may have left some
      return store;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Names this store for good; agents keep their checkpoints under it. */
  get storeId(): string {
    return this.#writer.storeId;
  }

  /** Highest batch id that is committed: everything a search begun now can see. */
  get highWater(): number {
    return this.#writer.highWater;
  }

  /** Compressed bytes in the head that no segment holds yet: nearly, and known a moment after the start. */
  get headBytes(): number {
    return this.#headBytes;
  }

  introduce(
    agent: AgentIntroduction,
  ): Promise<{ agent: number; unfinished: readonly UnfinishedStream[] }> {
    return this.#writer.introduce(agent);
  }

  /** Those that are missing in the answer were not begun: their agent has too many that are not finished. */
  openStreams(
    connection: number,
    agent: number,
    host: string,
    openings: readonly NumberedOpening[],
  ): Promise<readonly (OpenedStream & { readonly stream: number })[]> {
    return this.#writer.open(connection, agent, host, openings);
  }

  /** Takes over one binary message of frames; its outcome arrives with `committed`. */
  append(connection: number, message: Uint8Array): void {
    this.#writer.append(connection, message);
  }

  /** A message of this connection was dropped for want of room: its streams are reset. */
  shed(connection: number): void {
    this.#writer.shed(connection);
  }

  disconnect(connection: number): void {
    this.#writer.disconnect(connection);
  }

  /** Resolves when the thread that commits has come to this question: it is alive, and nothing before it hangs. */
  answer(): Promise<void> {
    return this.#writer.answer();
  }

  /**
   * Carries out what retention has decided. What goes is out of sight first, then off the disk.
   *
   * @throws StoreError `disk-full` where there is no room even to delete; a part may be done by then
   */
  async prune({ segmentParts, job, ...order }: RetentionOrder): Promise<RetentionResult> {
    const startedMs = performance.now();
    const whole = await this.#writer.prune(order);
    await this.#space.settle(); // what parts are written anew into may be this very room
    let parts = { records: 0, bytes: 0 };
    if (segmentParts.length > 0) {
      parts = await this.#maintenance.dropParts(segmentParts);
      await this.#space.settle();
    }
    const tookMs = Math.round(performance.now() - startedMs);
    const result = {
      batches: whole.batches,
      segments: whole.segments,
      records: whole.records + parts.records,
      bytes: whole.bytes + parts.bytes,
    };
    if (result.records > 0) {
      const outcome = { ...result, segmentParts: segmentParts.length };
      await this.#writer.record({ ...job, kind: "prune", tookMs, outcome });
    }
    return { ...result, tookMs };
  }

  /** Draws a line behind what has come in so far, for a delete of what somebody has looked at. */
  closeReceipts(): Promise<ClosedReceipts> {
    return this.#writer.closeReceipts();
  }

  /**
   * Hides matching records at once, and begins to take them out of the files. Backups are told, so that
   * none brings them back.
   */
  async delete(order: DeleteOrder): Promise<IssuedDelete> {
    const issued = await this.#writer.delete(order);
    await this.#deleteLogs.write();
    this.#removal.issued();
    return issued;
  }

  /** Resolves when the records of every delete so far are gone from the files. */
  removeDeleted(): Promise<void> {
    return this.#removal.settle();
  }

  /** Writes what the head holds as segments and merges small ones; resolves when nothing of it is left to do. */
  async compact(): Promise<void> {
    await this.#maintenance.settle();
    await this.#space.settle();
  }

  /** @throws StoreError `disk-full` */
  record(job: JobRecord): Promise<void> {
    return this.#writer.record(job);
  }

  /**
   * Copies the store as it is now to a new folder, while everything goes on; one backup at a time.
   *
   * @param path absolute; absent, or an empty folder, and not inside the data folder
   * @throws StoreError `backup-failed`
   */
  async backup(path: string): Promise<BackupResult> {
    const made = this.#backingUp.then(() =>
      backUp(this.dataDir, path, this.#writer, this.#stopping.signal),
    );
    this.#backingUp = made.catch(() => undefined); // its caller is told
    const result = await made;
    await this.#deleteLogs.write(); // those that were issued meanwhile
    return result;
  }

  /**
   * Folds the head's log into `head.db` and cuts it, as far as no reader needs it.
   *
   * @throws StoreError `disk-full` where head.db has no room to grow
   */
  async checkpoint(): Promise<void> {
    await this.#writer.checkpoint();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looking);
    this.#stopping.abort();
    await this.#backingUp;
    await this.#deleteLogs.settled();
    const removed = this.#removal[Symbol.asyncDispose]();
    await this.#maintenance[Symbol.asyncDispose]();
    await removed;
    await this.#space[Symbol.asyncDispose]();
    await this.#checkpointer[Symbol.asyncDispose]();
    await this.#writer[Symbol.asyncDispose]();
    this.#lock[Symbol.dispose]();
  }

  #committed(bytes: number): void {
    this.#bytesSinceLook += bytes;
    this.#headBytes += bytes;
    if (this.#bytesSinceLook >= COMPACT_HEAD_BYTES) {
      this.#look();
    }
  }

  #look(): void {
    this.#bytesSinceLook = 0;
    this.#maintenance.look();
    this.#space.look();
    this.#removal.look();
  }
}
