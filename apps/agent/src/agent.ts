import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AgentEffect, AgentSession, type UnfinishedStream } from "@sluice/protocol";
import { Failure } from "@sluice/service";

import type { AgentEvent } from "./agent-event.ts";
import { loadAgentId } from "./agent-id.ts";
import type { AgentSettings } from "./agent-settings.ts";
import { Batcher } from "./batcher.ts";
import { BuilderPool } from "./builder-pool.ts";
import { Checkpoints } from "./checkpoints.ts";
import { ownFiles } from "./own-files.ts";
import { SourceSet } from "./source-set.ts";
import { StateLock } from "./state-lock.ts";
import { decodeStreamCursor } from "./stream-ledger.ts";
import { StreamRoster, streamName } from "./stream-roster.ts";
import { Uplink } from "./uplink.ts";

/** Sources on one side, one uplink on the other, and the roster of streams in between. */
export class Agent implements AsyncDisposable {
  readonly #settings: AgentSettings;
  readonly #emit: (event: AgentEvent) => void;
  readonly #lock: StateLock;
  readonly #checkpoints: Checkpoints;
  readonly #session: AgentSession;
  readonly #uplink: Uplink;
  readonly #batcher: Batcher;
  readonly #sources: SourceSet;
  readonly #roster: StreamRoster;
  #report: NodeJS.Timeout | undefined;
  /** Set while the sources wait for what the collector knows, because the state was lost. */
  #awaitsUnfinished: boolean;

  private constructor(
    settings: AgentSettings,
    emit: (event: AgentEvent) => void,
    lock: StateLock,
    checkpoints: Checkpoints,
    agentId: string,
  ) {
    this.#settings = settings;
    this.#emit = emit;
    this.#lock = lock;
    this.#checkpoints = checkpoints;
    this.#awaitsUnfinished = checkpoints.isLost;
    const session = new AgentSession({
      agentId,
      instance: randomUUID(),
      hostname: settings.host,
      version: settings.version,
      labels: settings.labels,
    });
    this.#session = session;
    this.#uplink = new Uplink({
      urls: settings.collectors,
      token: settings.token,
      session,
      random: Math.random,
      events: {
        effect: (effect) => this.#handle(effect),
        connected: (url) => emit({ kind: "connected", url }),
        disconnected: (reason, advice, retryInMs) => {
          this.#roster.pause();
          emit({ kind: "disconnected", reason, advice, retryInMs });
        },
      },
    });
    const pool = new BuilderPool();
    this.#batcher = new Batcher({
      session,
      pool,
      send: (message) => this.#uplink.sendFrames(message),
      nowMs: () => performance.now(),
      clockUs: () => Date.now() * 1000,
      onError: (error) => emit({ kind: "failed", error }),
    });
    this.#roster = new StreamRoster({
      checkpoints,
      pool,
      batcher: this.#batcher,
      stateDir: settings.stateDir,
      labels: () => this.#settings.labels,
      storeId: () => session.storeId,
      offer: (offer) => this.#uplink.perform(session.offer(offer)),
      forget: (key) => session.forget(key),
      emit,
    });
    this.#sources = new SourceSet(settings.sources, {
      checkpoints,
      statePath: statePathIn(settings.stateDir),
      own: ownFiles(settings.stateDir),
      emit,
      changed: (owner, change) => {
        if (change.kind === "appeared") {
          this.#roster.add(owner, change.stream);
        }
      },
    });
  }

  /** @throws Failure where the state folder is in use or unusable */
  static async start(settings: AgentSettings, emit: (event: AgentEvent) => void): Promise<Agent> {
    await makeStateDir(settings.stateDir);
    const lock = await StateLock.acquire(settings.stateDir);
    try {
      const agentId = await loadAgentId(join(settings.stateDir, "agent-id"));
      const statePath = statePathIn(settings.stateDir);
      const checkpoints = await Checkpoints.load(statePath, !agentId.isNew, (error) =>
        emit({ kind: "failed", error }),
      );
      if (checkpoints.isLost) {
        emit({ kind: "state-lost", path: statePath });
      }
      const agent = new Agent(settings, emit, lock, checkpoints, agentId.id);
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
    await this.#roster[Symbol.asyncDispose]();
    await this.#uplink[Symbol.asyncDispose]();
    await this.#checkpoints[Symbol.asyncDispose]();
    await this.#sources[Symbol.asyncDispose]();
    await this.#lock[Symbol.asyncDispose]();
  }

  async #startSources(): Promise<void> {
    await this.#sources.start();
    // Where nothing is to be read yet, the disk still learns that this agent has looked.
    await this.#checkpoints.write();
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
      case "rewind":
        this.#roster.rewind(effect);
        return;
      case "acked":
        this.#roster.acked(effect);
        this.#batcher.flush();
        return;
      case "stopped":
        this.#roster.stopped(effect.key, effect.code, effect.detail);
        return;
      case "failed": {
        const { key, code, detail } = effect;
        const stream = key === undefined ? undefined : this.#roster.workers.get(key)?.stream;
        const { source, generation } = stream ?? { source: "", generation: 0 };
        this.#emit({ kind: "stopped-stream", source, generation, code, detail });
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

  /** The state was lost: the collector's list of unfinished streams takes its place. */
  #takeUnfinished(streams: readonly UnfinishedStream[]): void {
    for (const { source: name, generation, cursor } of streams) {
      const { source } = decodeStreamCursor(cursor);
      const owner = this.#sources.owner(name)?.source;
      const restored = owner?.restore({ source: name, generation }, source);
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
      const { source } = decodeStreamCursor(stream.cursor);
      const reopened = this.#sources.owner(stream.source)?.source.reopen(stream, source);
      if (reopened?.ok === false) {
        this.#emit({ kind: "failed", error: new Error(reopened.error.detail) });
      }
    }
  }

  #sendReport(): void {
    if (this.#session.phase !== "live") {
      return;
    }
    const backlogs = [...this.#roster.workers].map(([key, worker]) => ({
      key,
      behindBytes: worker.behindBytes,
    }));
    this.#uplink.perform(this.#session.report(backlogs, performance.now()));
  }
}

function statePathIn(stateDir: string): string {
  return join(stateDir, "state.json");
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
