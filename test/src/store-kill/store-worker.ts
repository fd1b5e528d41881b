import { writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type CommitReport, openStoreReader, Store, type StoreReader } from "@sluice/store";

import { Prng } from "../corpus/prng.ts";
import { KNOWN_STREAMS, MARKS, nextMessage, type StreamPlace } from "./known-log.ts";
import { FIRST_VISIBILITY, nextVisibility, pruneOrder } from "./prune-choice.ts";
import {
  type Change,
  JOB_KINDS,
  type JobKind,
  type WorkerCommand,
  type WorkerOptions,
  type WorkerReport,
} from "./worker-messages.ts";

const REPORTS_FD = 1;
const HOSTS = [...new Set(KNOWN_STREAMS.map(({ host }) => host))];

/** Batches that are handed over and not acknowledged, at most. */
const IN_FLIGHT = 8;

/** Records of a batch, at most; many are far smaller. */
const MOST_RECORDS = 160;

/** While jobs run, a batch comes this often: what is stored stays small, and is read after each kill. */
const BATCH_EVERY_MS = 4;

/** A store that takes lines in and carries out jobs, and reports each step before it is taken. */
export class StoreWorker implements AsyncDisposable {
  readonly #store: Store;
  readonly #reader: StoreReader;
  readonly #random: Prng;
  readonly #places: readonly StreamPlace[];
  readonly #acks: Acks;
  readonly #backupDir: string;
  #visibility = FIRST_VISIBILITY;

  private constructor(
    options: WorkerOptions,
    store: Store,
    reader: StoreReader,
    places: readonly StreamPlace[],
    acks: Acks,
  ) {
    this.#store = store;
    this.#reader = reader;
    this.#places = places;
    this.#acks = acks;
    this.#backupDir = options.backupDir;
    this.#random = new Prng(options.seed);
  }

  static async open(options: WorkerOptions): Promise<StoreWorker> {
    const acks = new Acks();
    const trouble = (text: string): void => report({ kind: "trouble", text });
    const store = await Store.open(options.dataDir, {
      committed: (commit) => acks.committed(commit),
      failed: (error) => trouble(`failed: ${error.message}`),
      noticed: (notice) => trouble(`noticed: ${JSON.stringify(notice)} ${describe(notice)}`),
      full: () => trouble("the volume is full"),
    });
    const places: StreamPlace[] = [];
    for (const [connection, host] of HOSTS.entries()) {
      const introduction = { agentId: `agent-${host}`, host, version: "1.0.0", labels: {} };
      const { agent } = await store.introduce(introduction);
      const openings = KNOWN_STREAMS.filter((stream) => stream.host === host).map((stream) => ({
        stream: stream.stream,
        source: stream.source,
        generation: 1,
        initialCursor: new Uint8Array(1),
        labels: {},
      }));
      for (const opened of await store.openStreams(connection, agent, host, openings)) {
        const { stream, epoch, ordinal, nextSeq } = opened;
        places[stream] = { epoch, ordinal, nextSeq };
      }
    }
    const reader = openStoreReader(options.dataDir);
    report({ kind: "opened", nextSeqs: places.map(({ nextSeq }) => nextSeq) });
    return new StoreWorker(options, store, reader, places, acks);
  }

  async carryOut(command: Exclude<WorkerCommand, { kind: "close" }>): Promise<void> {
    switch (command.kind) {
      case "append":
        for (let i = 0; i < command.batches; i++) {
          await this.#append();
        }
        await this.#acks.untilAtMost(0);
        break;
      case "job":
        await this.#perform(command.job);
        break;
      case "retention":
        this.#visibility = command.visibility;
        break;
      case "run":
        await Promise.all([this.#appendForever(), this.#performForever(command.first)]);
        break;
      default:
        command satisfies never;
    }
    report({ kind: "done" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }

  async #append(): Promise<void> {
    await this.#acks.untilAtMost(IN_FLIGHT - 1);
    const stream = this.#random.skewed(KNOWN_STREAMS.length);
    const count = 1 + this.#random.skewed(MOST_RECORDS);
    report({ kind: "sent", stream, count, ms: Date.now() });
    this.#acks.sent();
    const connection = HOSTS.indexOf(KNOWN_STREAMS[stream]?.host ?? "");
    const place = this.#places[stream] as StreamPlace;
    this.#store.append(connection, nextMessage(stream, place, count));
  }

  async #appendForever(): Promise<never> {
    for (;;) {
      await this.#append();
      await delay(this.#random.below(2 * BATCH_EVERY_MS));
    }
  }

  async #performForever(first: JobKind): Promise<never> {
    await delay(this.#random.below(50));
    await this.#perform(first);
    for (;;) {
      await this.#perform(JOB_KINDS[this.#random.below(JOB_KINDS.length)] as JobKind);
    }
  }

  async #perform(job: JobKind): Promise<void> {
    const store = this.#store;
    switch (job) {
      case "compact":
        await this.#job(job, () => store.compact());
        return;
      case "prune":
        await this.#prune();
        return;
      case "delete": {
        const mark = this.#random.below(MARKS);
        const order = { query: `mark${mark}`, fromUs: undefined, untilUs: undefined };
        await this.#job(job, () => store.delete({ ...order, issuedUs: Date.now() * 1000 }), {
          kind: "delete",
          mark,
        });
        return;
      }
      case "remove-deleted":
        await this.#job(job, () => store.removeDeleted());
        return;
      case "checkpoint":
        await this.#job(job, () => store.checkpoint());
        return;
      case "backup": {
        report({ kind: "begun", job });
        const { path } = await store.backup(join(this.#backupDir, `${this.#random.uint32()}`));
        report({ kind: "ended", job, backup: path });
        return;
      }
      default:
        job satisfies never;
    }
  }

  async #prune(): Promise<void> {
    const parts = this.#reader.parts();
    const visibility = nextVisibility(this.#visibility, parts, this.#random, HOSTS);
    const order = pruneOrder(visibility, parts, this.#reader.streams());
    const nowUs = Date.now() * 1000;
    const job = { dueUs: nowUs, startedUs: nowUs, detail: "of the test" };
    this.#visibility = visibility;
    const change = { kind: "prune", visibility } as const;
    await this.#job("prune", () => this.#store.prune({ ...order, job }), change);
  }

  async #job(job: JobKind, work: () => Promise<unknown>, change?: Change): Promise<void> {
    report({ kind: "begun", job, change });
    await work();
    report({ kind: "ended", job });
  }
}

/** Counts what is on its way, and reports what has arrived. */
class Acks {
  #inFlight = 0;
  #waiting: { readonly most: number; readonly resolve: () => void } | undefined;

  sent(): void {
    this.#inFlight += 1;
  }

  untilAtMost(most: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { most, resolve };
      this.#look();
    });
  }

  committed({ frames }: CommitReport): void {
    for (const { stream, outcome } of frames) {
      this.#inFlight -= 1;
      if (outcome.kind === "accepted") {
        report({ kind: "acked", stream, nextSeq: outcome.position.nextSeq, ms: Date.now() });
      } else {
        report({ kind: "trouble", text: `a frame of stream ${stream}: ${outcome.kind}` });
      }
    }
    this.#look();
  }

  #look(): void {
    const waiting = this.#waiting;
    if (waiting !== undefined && this.#inFlight <= waiting.most) {
      this.#waiting = undefined;
      waiting.resolve();
    }
  }
}

/** JSON shows nothing of an error. */
function describe(notice: object): string {
  return "error" in notice && notice.error instanceof Error ? notice.error.message : "";
}

function report(message: WorkerReport): void {
  writeSync(REPORTS_FD, `${JSON.stringify(message)}\n`);
}
