import type { Worker } from "node:worker_threads";

import { fromFailure, StoreError, toFailure } from "../errors.ts";
import type { Swap, SwapResult } from "../manifest/swap.ts";
import { startThread } from "../thread.ts";
import type { TakenOut } from "./deletion.ts";
import type {
  Dropped,
  JobResult,
  MaintenanceReply,
  MaintenanceRequest,
  SegmentPart,
} from "./maintenance-messages.ts";

/** The writer, as far as jobs need it. */
interface ManifestWriter {
  announce(paths: readonly string[]): Promise<void>;
  swap(swap: Swap): Promise<SwapResult>;
}

export interface MaintenanceEvents {
  /** Something was removed from the manifest: its space can come back. */
  swapped(): void;
  /** Compressed bytes in the head that no segment holds yet. */
  measured(headBytes: number): void;
  /** Something could not be read, and was moved aside. */
  quarantined(what: string): void;
  /** A job failed that was due by itself; it is tried again. */
  failed(error: StoreError): void;
}

interface Waiter {
  resolve(result: JobResult): void;
  reject(error: Error): void;
}

/** The maintenance thread as the main thread sees it; it starts with the first request. */
export class Maintenance implements AsyncDisposable {
  readonly #dataDir: string;
  readonly #writer: ManifestWriter;
  readonly #events: MaintenanceEvents;
  readonly #waiters = new Map<number, Waiter>();
  #worker: Worker | undefined;
  #nextId = 1;
  #isStopped = false;

  constructor(dataDir: string, writer: ManifestWriter, events: MaintenanceEvents) {
    this.#dataDir = dataDir;
    this.#writer = writer;
    this.#events = events;
  }

  /** Has it do what is due. */
  look(): void {
    this.#post({ kind: "look" });
  }

  /** Does all that can be done: the head into segments, small segments into large ones. */
  async settle(): Promise<void> {
    await this.#request((id) => ({ kind: "settle", id }));
  }

  async dropParts(parts: readonly SegmentPart[]): Promise<Dropped> {
    const { dropped } = await this.#request((id) => ({ kind: "drop-parts", id, parts }));
    return dropped ?? { records: 0, bytes: 0 };
  }

  /** Takes the records of all deletes that were issued out of the store; undefined where there is none. */
  async takeOutDeleted(): Promise<TakenOut | undefined> {
    const { takenOut } = await this.#request((id) => ({ kind: "deletes", id }));
    return takenOut;
  }

  /** Ends the job that is under way; what it has written so far is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    const worker = this.#worker;
    if (worker !== undefined) {
      const ended = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage({ kind: "stop" } satisfies MaintenanceRequest);
      await ended;
    }
  }

  #request(build: (id: number) => MaintenanceRequest): Promise<JobResult> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      this.#post(build(id));
    });
  }

  #post(request: MaintenanceRequest): void {
    if (this.#isStopped) {
      this.#end(new StoreError("closed", "the store is closed", "start the collector again"));
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = startThread("./maintenance-thread", import.meta.url, "sluice-maintenance", {
      dataDir: this.#dataDir,
    });
    worker.on("message", (reply: MaintenanceReply) => this.#receive(worker, reply));
    worker.on("error", (cause: Error) => {
      const message = `the maintenance thread ended: ${cause.message}`;
      this.#lost(
        worker,
        new StoreError("maintenance-failed", message, "it starts again by itself", { cause }),
      );
    });
    worker.on("exit", () => {
      const advice = "start the collector again";
      this.#lost(worker, new StoreError("closed", "the store is closed", advice));
    });
    return worker;
  }

  /** What a job asks of the writer, or why the writer could not do it. */
  async #write(
    reply: Extract<MaintenanceReply, { kind: "announce" | "swap" }>,
  ): Promise<MaintenanceRequest> {
    const { id } = reply;
    try {
      if (reply.kind === "announce") {
        await this.#writer.announce(reply.paths);
        return { kind: "announced", id };
      }
      const result = await this.#writer.swap(reply.swap);
      if (result.ok) {
        this.#events.swapped();
      }
      return { kind: "swapped", id, result };
    } catch (error) {
      return { kind: "refused", id, failure: toFailure(error) };
    }
  }

  #receive(worker: Worker, reply: MaintenanceReply): void {
    switch (reply.kind) {
      case "announce":
      case "swap":
        void this.#write(reply).then((request) => worker.postMessage(request));
        return;
      case "done": {
        this.#take(reply.id)?.resolve(reply.result);
        return;
      }
      case "failed": {
        const error = fromFailure(reply.failure);
        if (reply.id === undefined) {
          this.#events.failed(error);
        } else {
          this.#take(reply.id)?.reject(error);
        }
        return;
      }
      case "head":
        this.#events.measured(reply.bytes);
        return;
      case "quarantined":
        this.#events.quarantined(reply.what);
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

  #lost(worker: Worker, error: StoreError): void {
    if (this.#worker !== worker) {
      return; // Told already, and another may have taken its place.
    }
    this.#worker = undefined;
    if (error.code !== "closed") {
      this.#events.failed(error);
    }
    this.#end(error);
  }

  #end(error: StoreError): void {
    for (const waiter of this.#waiters.values()) {
      waiter.reject(error);
    }
    this.#waiters.clear();
  }
}
