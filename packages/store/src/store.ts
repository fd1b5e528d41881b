import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { UnfinishedStream } from "@sluice/protocol";

import { Checkpointer } from "./head/checkpointer.ts";
import { StoreError } from "./errors.ts";
import type { AgentIntroduction, OpenedStream } from "./head/head.ts";
import { StoreLock } from "./store-lock.ts";
import type { FinishedJob, PruneOrder, PruneResult } from "./head/pruner.ts";
import { Writer } from "./head/writer.ts";
import type { CommitReport, DroppedBytes, NumberedOpening } from "./head/writer-messages.ts";

export interface StoreEvents {
  /** Frames were committed and fsynced: acks may leave now. */
  committed(report: CommitReport): void;
  /** Nothing more can be committed; the process should say why and end. */
  failed(error: StoreError): void;
  /**
   * The volume is full. These messages were dropped, none of them acknowledged; what else comes is
   * dropped too until there is room, and then the streams are reset (reason `storage`).
   */
  full(dropped: DroppedBytes): void;
}

/** The collected data of one collector, open for writing: one process at a time. */
export class Store implements AsyncDisposable {
  readonly dataDir: string;
  readonly #lock: StoreLock;
  readonly #writer: Writer;
  readonly #checkpointer: Checkpointer;

  private constructor(
    dataDir: string,
    lock: StoreLock,
    writer: Writer,
    checkpointer: Checkpointer,
  ) {
    this.dataDir = dataDir;
    this.#lock = lock;
    this.#writer = writer;
    this.#checkpointer = checkpointer;
  }

  /** @throws StoreError where the folder is in use, damaged, or of a newer version */
  static async open(dataDir: string, events: StoreEvents): Promise<Store> {
    await makeDataDir(dataDir);
    const lock = StoreLock.acquire(dataDir);
    try {
      const path = headPath(dataDir);
      const checkpointer = new Checkpointer(path, (cause) => {
        const message = `a checkpoint failed: ${cause.message}`;
        events.failed(new StoreError("commit-failed", message, "check the disk", { cause }));
      });
      const writer = await Writer.start(path, {
        committed: (report) => {
          let bytes = 0;
          for (const count of report.messageBytes.values()) {
            bytes += count;
          }
          checkpointer.committed(bytes);
          events.committed(report);
        },
        failed: (error) => events.failed(error),
        full: (dropped) => events.full(dropped),
      });
      return new Store(dataDir, lock, writer, checkpointer);
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

  introduce(
    agent: AgentIntroduction,
  ): Promise<{ agent: number; unfinished: readonly UnfinishedStream[] }> {
    return this.#writer.introduce(agent);
  }

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

  /** @throws StoreError `disk-full` where there is no room even to delete; a part may be done by then */
  prune(order: PruneOrder): Promise<PruneResult> {
    return this.#writer.prune(order);
  }

  /** @throws StoreError `disk-full` */
  record(job: FinishedJob): Promise<void> {
    return this.#writer.record(job);
  }

  /**
   * Folds the head's log into `head.db` and cuts it, as far as no reader needs it.
   *
   * @throws StoreError `disk-full` where head.db has no room to grow
   */
  checkpoint(): Promise<void> {
    return this.#writer.checkpoint();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checkpointer[Symbol.asyncDispose]();
    await this.#writer[Symbol.asyncDispose]();
    this.#lock[Symbol.dispose]();
  }
}

function headPath(dataDir: string): string {
  return join(dataDir, "head.db");
}

async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StoreError(
      "data-unwritable",
      `cannot create data_dir ${dataDir}: ${(error as Error).message}`,
      "create it for the collector's user, or set data_dir to a folder it may write",
      { cause: error },
    );
  }
}
