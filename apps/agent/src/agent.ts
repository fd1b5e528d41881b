import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type AgentEffect, AgentSession, type UnfinishedStream } from "@sluice/protocol";
import { FileSource, type TailStream } from "@sluice/tail";

import type { AgentEvent } from "./agent-event.ts";
import { loadAgentId } from "./agent-id.ts";
import type { AgentSettings, FileSourceSettings } from "./agent-settings.ts";
import { Batcher } from "./batcher.ts";
import { BuilderPool } from "./builder-pool.ts";
import { Checkpoints } from "./checkpoints.ts";
import { Failure } from "@sluice/service";
import { StateLock } from "./state-lock.ts";
import { StreamWorker } from "./stream-worker.ts";
import { Uplink } from "./uplink.ts";

/** Until the state is tried again on a disk that did not take it. */
const STATE_RETRY_MS = 5_000;

interface Arrival {
  readonly source: FileSource;
  readonly stream: TailStream;
}

/** Sources on one side, one uplink on the other, and a worker for each stream in between. */
export class Agent implements AsyncDisposable {
  readonly #settings: AgentSettings;
  readonly #emit: (event: AgentEvent) => void;
  readonly #lock: StateLock;
  readonly #checkpoints: Checkpoints;
  readonly #session: AgentSession;
  readonly #uplink: Uplink;
  readonly #batcher: Batcher;
  readonly #pool = new BuilderPool();
  readonly #sources: FileSource[];
  readonly #workers = new Map<number, StreamWorker>();
  readonly #abort = new AbortController();
  /** Streams that appeared and are on no disk yet. */
  readonly #arrivals: Arrival[] = [];
  #isOffering = false;
  #nextKey = 0;
  #report: NodeJS.Timeout | undefined;
  /** Set while the sources wait for what the collector knows, because the state was lost. */
  #awaitsUnfinished: boolean;

  private constructor(
    settings: AgentSettings,
    emit: (event: AgentEvent) => void,
    lock: StateLock,
    checkpoints: Checkpoints,
    agentId: string,
    sources: FileSource[],
  ) {
    this.#settings = settings;
    this.#emit = emit;
    this.#lock = lock;
    this.#checkpoints = checkpoints;
    this.#sources = sources;
    this.#awaitsUnfinished = checkpoints.isLost;
    this.#session = new AgentSession({
      agentId,
      instance: randomUUID(),
      hostname: settings.host,
      version: settings.version,
      labels: settings.labels,
    });
    this.#uplink = new Uplink({
      urls: settings.collectors,
      token: settings.token,
      session: this.#session,
      random: Math.random,
      events: {
        effect: (effect) => this.#handle(effect),
        connected: (url) => emit({ kind: "connected", url }),
        disconnected: (reason, advice, retryInMs) => {
          for (const worker of this.#workers.values()) {
            worker.pause();
          }
          emit({ kind: "disconnected", reason, advice, retryInMs });
        },
      },
    });
    this.#batcher = new Batcher({
      session: this.#session,
      pool: this.#pool,
      send: (message) => this.#uplink.sendFrames(message),
      nowMs: () => performance.now(),
      clockUs: () => Date.now() * 1000,
      onError: (error) => emit({ kind: "failed", error }),
    });
  }

  /** @throws Failure where the state folder is in use or unusable */
  static async start(settings: AgentSettings, emit: (event: AgentEvent) => void): Promise<Agent> {
    await makeStateDir(settings.stateDir);
    const lock = await StateLock.acquire(settings.stateDir);
    try {
      const agentId = await loadAgentId(join(settings.stateDir, "agent-id"));
      const statePath = join(settings.stateDir, "state.json");
      const checkpoints = await Checkpoints.load(statePath, !agentId.isNew, (error) =>
        emit({ kind: "failed", error }),
      );
      if (checkpoints.isLost) {
        emit({ kind: "state-lost", path: statePath });
      }
      const sources = settings.sources.map((source) => {
        const id = sourceId(source);
        const created = FileSource.create({
          ...source,
          state: checkpoints.source(id),
          onEvent: (event) => emit({ kind: "tail", event }),
        });
        if (!created.ok) {
          throw new Failure(
            `${statePath}: ${created.error.detail}`,
            "move the file away: the agent then asks the collector where it stands",
          );
        }
        checkpoints.attach(id, () => created.value.snapshot());
        return created.value;
      });
      const agent = new Agent(settings, emit, lock, checkpoints, agentId.id, sources);
      if (!checkpoints.isLost) {
        await agent.#startSources();
      }
      agent.#uplink.start();
      agent.#report = setInterval(() => agent.#sendReport(), 1_000);
      return agent;
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw describeStateError(settings.stateDir, error);
    }
  }

  /** Stops reading, hands over what is on its way, and leaves the state as it stands. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#report);
    this.#abort.abort(new Error("the agent stops"));
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    await this.#uplink[Symbol.asyncDispose]();
    await this.#checkpoints[Symbol.asyncDispose]();
    await Promise.all(this.#sources.map((source) => source[Symbol.asyncDispose]()));
    await this.#lock[Symbol.asyncDispose]();
  }

  async #startSources(): Promise<void> {
    for (const source of this.#sources) {
      void this.#follow(source);
      await source.start();
    }
    // Initial cursors are on the disk before any collector hears of them.
    await this.#checkpoints.write();
  }

  /** Offers each stream that appears to the collector, once the disk knows of it. */
  async #follow(source: FileSource): Promise<void> {
    try {
      for await (const change of source.changes(this.#abort.signal)) {
        if (change.kind === "appeared") {
          this.#arrivals.push({ source, stream: change.stream });
          // Not awaited: streams that appear together share one write.
          void this.#offerArrivals();
        }
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) {
        this.#emit({ kind: "failed", error });
      }
    }
  }

  /** A disk without room holds new streams back; their files keep the lines meanwhile. */
  async #offerArrivals(): Promise<void> {
    if (this.#isOffering) {
      return;
    }
    this.#isOffering = true;
    while (this.#arrivals.length > 0 && !this.#abort.signal.aborted) {
      let written = this.#arrivals.length;
      try {
        await this.#checkpoints.write();
        for (; written > 0 && !this.#abort.signal.aborted; written--) {
          const { source, stream } = this.#arrivals.shift() as Arrival;
          this.#offer(source, stream);
        }
      } catch (error) {
        this.#emit({ kind: "failed", error });
        await setTimeout(STATE_RETRY_MS, undefined, { ref: false });
      }
    }
    this.#isOffering = false;
  }

  #offer(source: FileSource, stream: TailStream): void {
    const key = this.#nextKey++;
    const name = streamName(stream);
    this.#workers.set(
      key,
      new StreamWorker({
        key,
        source,
        stream,
        pool: this.#pool,
        batcher: this.#batcher,
        deadLetterDir: join(this.#settings.stateDir, "dead-letter"),
        emit: this.#emit,
      }),
    );
    const offer = {
      key,
      source: stream.source,
      generation: stream.generation,
      labels: this.#settings.labels,
      // A store that was there before and does not know the stream lost it: from the beginning.
      // A store that is new takes over where the newest checkpoint of any other stands.
      initialCursor: (storeId: string) =>
        this.#checkpoints.isKnownStore(storeId) &&
        this.#checkpoints.get(storeId, name) !== undefined
          ? stream.initialCursor
          : stream.ackedCursor,
    };
    this.#uplink.perform(this.#session.offer(offer));
  }

  #handle(effect: Exclude<AgentEffect, { kind: "send" }>): void {
    switch (effect.kind) {
      case "unfinished":
        if (this.#awaitsUnfinished) {
          this.#takeUnfinished(effect.streams);
        } else {
          this.#reopenFinished(effect.storeId, effect.streams);
        }
        return;
      case "rewind": {
        const worker = this.#workers.get(effect.key);
        if (worker !== undefined) {
          this.#reportRollback(worker, effect);
          worker.rewind(effect);
        }
        return;
      }
      case "acked":
        this.#acknowledge(effect);
        return;
      case "stopped": {
        const worker = this.#workers.get(effect.key);
        if (worker !== undefined) {
          worker.pause();
          const { code, detail } = effect;
          this.#emit({ kind: "stopped-stream", ...worker.stream, code, detail });
        }
        return;
      }
      case "failed": {
        const stream = effect.key === undefined ? undefined : this.#workers.get(effect.key)?.stream;
        const { code, detail } = effect;
        this.#emit({
          kind: "stopped-stream",
          source: stream?.source ?? "",
          generation: stream?.generation ?? 0,
          code,
          detail,
        });
        return;
      }
      case "credit":
        this.#batcher.flush();
        return;
      case "goaway":
        return;
      default:
        effect satisfies never;
    }
  }

  #acknowledge(effect: Extract<AgentEffect, { kind: "acked" }>): void {
    const worker = this.#workers.get(effect.key);
    const storeId = this.#session.storeId;
    if (worker === undefined || storeId === undefined) {
      return;
    }
    const name = streamName(worker.stream);
    const { cursor, nextSeq } = effect;
    worker.acked(cursor);
    this.#checkpoints.acked(storeId, name, { nextSeq, cursor });
    if (effect.finished) {
      this.#session.forget(effect.key);
      this.#workers.delete(effect.key);
      this.#checkpoints.finish(storeId, name, nextSeq);
      void worker.finish();
    }
    this.#batcher.flush();
  }

  /** The state was lost: the collector's list of unfinished streams takes its place. */
  #takeUnfinished(streams: readonly UnfinishedStream[]): void {
    for (const { source, generation, cursor } of streams) {
      const owner = this.#sources.find((candidate) => candidate.covers(source));
      const restored = owner?.restore({ source, generation }, cursor);
      if (restored?.ok === false) {
        this.#emit({ kind: "failed", error: new Error(restored.error.detail) });
      }
    }
    if (this.#session.phase !== "live") {
      return; // The list goes on in the next message.
    }
    this.#awaitsUnfinished = false;
    this.#startSources().catch((error: unknown) => this.#emit({ kind: "failed", error }));
  }

  /** What this store acknowledged to its end and lists as unfinished, it has lost the end of: it was rolled back. */
  #reopenFinished(storeId: string, streams: readonly UnfinishedStream[]): void {
    for (const stream of streams) {
      if (this.#checkpoints.finishedAt(storeId, streamName(stream)) === undefined) {
        continue;
      }
      const owner = this.#sources.find((candidate) => candidate.covers(stream.source));
      const reopened = owner?.reopen(stream, stream.cursor);
      if (reopened?.ok === false) {
        this.#emit({ kind: "failed", error: new Error(reopened.error.detail) });
      }
    }
  }

  #reportRollback(worker: StreamWorker, effect: Extract<AgentEffect, { kind: "rewind" }>): void {
    const storeId = this.#session.storeId ?? "";
    const name = streamName(worker.stream);
    const known =
      this.#checkpoints.get(storeId, name)?.nextSeq ?? this.#checkpoints.finishedAt(storeId, name);
    if (known !== undefined && effect.nextSeq < known) {
      const records = known - effect.nextSeq;
      this.#emit({ kind: "rolled-back", ...worker.stream, records });
    }
    this.#checkpoints.reopen(storeId, name);
    this.#checkpoints.store(storeId).set(name, {
      nextSeq: effect.nextSeq,
      cursor: effect.cursor,
    });
  }

  #sendReport(): void {
    if (this.#session.phase !== "live") {
      return;
    }
    const backlogs = [...this.#workers].map(([key, worker]) => ({
      key,
      behindBytes: worker.behindBytes,
    }));
    this.#uplink.perform(this.#session.report(backlogs, performance.now()));
  }
}

/** Nothing but the state folder is written or read in full at a start. */
function describeStateError(stateDir: string, error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof Error) || !("code" in error)) {
    return error;
  }
  return new Failure(
    `cannot use state_dir ${stateDir}: ${error.message}`,
    "make sure that its disk has room and that the agent's user may write there",
    undefined,
    { cause: error },
  );
}

async function makeStateDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Failure(
      `cannot create state_dir ${path}: ${(error as Error).message}`,
      "create it for the agent's user, or set state_dir to a folder it may write",
      undefined,
      { cause: error },
    );
  }
}

/** A source keeps its state across restarts while its globs are the same. */
function sourceId(source: FileSourceSettings): string {
  return `file:${JSON.stringify([source.include, source.exclude])}`;
}

function streamName(stream: { readonly source: string; readonly generation: number }): string {
  return `${stream.generation}:${stream.source}`;
}
