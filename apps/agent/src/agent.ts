import { randomUUID } from "node:crypto";
import { join } from "node:path";
import {
  type AgentEffect,
  type AgentIdentity,
  AgentSession,
  type UnfinishedStream,
} from "@sluice/protocol";
import { Failure } from "@sluice/service";

import type { AgentEvent } from "./agent-event.ts";
import { loadAgentId } from "./agent-id.ts";
import type { AgentSettings } from "./agent-settings.ts";
import { rotateKey } from "./enroll/key-rotation.ts";
import { Batcher } from "./batcher.ts";
import { BuilderPool } from "./builder-pool.ts";
import { Checkpoints } from "./checkpoints.ts";
import { ownFiles } from "./own-files.ts";
import { SourceSet } from "./source-set.ts";
import { AgentMeter } from "./status/agent-meter.ts";
import { describeAgent } from "./status/agent-status.ts";
import type { AgentStatus } from "./status/status-document.ts";
import { describeStateError, makeStateDir, statePathIn } from "./state-folder.ts";
import { StateLock } from "./state-lock.ts";
import { decodeStreamCursor } from "./stream-ledger.ts";
import { StreamRoster, streamName } from "./stream-roster.ts";
import { Uplink, type UplinkTarget } from "./uplink.ts";

/** Sources on one side, one uplink on the other, and the roster of streams in between. */
export class Agent implements AsyncDisposable {
  #settings: AgentSettings;
  readonly #emit: (event: AgentEvent) => void;
  readonly #identity: Pick<AgentIdentity, "agentId" | "instance">;
  readonly #lock: StateLock;
  readonly #checkpoints: Checkpoints;
  readonly #session: AgentSession;
  readonly #uplink: Uplink;
  readonly #batcher: Batcher;
  readonly #sources: SourceSet;
  readonly #roster: StreamRoster;
  readonly #meter: AgentMeter;
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
    this.#meter = new AgentMeter(checkpoints, Date.now());
    this.#emit = (event) => {
      this.#meter.note(event, Date.now());
      emit(event);
    };
    this.#lock = lock;
    this.#checkpoints = checkpoints;
    this.#awaitsUnfinished = checkpoints.isLost;
    this.#identity = { agentId, instance: randomUUID() };
    const session = new AgentSession({ ...this.#identity, ...introductionOf(settings) });
    this.#session = session;
    this.#uplink = new Uplink({
      target: targetOf(settings),
      session,
      random: Math.random,
      events: {
        effect: (effect) => this.#handle(effect),
        connected: (url) => this.#emit({ kind: "connected", url }),
        disconnected: (disconnection) => {
          this.#roster.pause();
          this.#emit({ kind: "disconnected", ...disconnection });
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
      onGap: () => this.#meter.gapSent(),
      onError: (error) => this.#emit({ kind: "failed", error }),
    });
    this.#roster = new StreamRoster({
      checkpoints,
      pool,
      batcher: this.#batcher,
      stateDir: settings.stateDir,
      labels: () => this.#settings.labels,
      processingCounts: (source) => this.#meter.processing.of(source),
      storeId: () => session.storeId,
      offer: (offer) => this.#uplink.perform(session.offer(offer)),
      forget: (key) => session.forget(key),
      relabel: (key, labels) => session.relabel(key, labels),
      moved: (worker, amount, finished) => this.#meter.moved(worker, amount, finished),
      emit: this.#emit,
    });
    this.#sources = new SourceSet(settings.sources, {
      checkpoints,
      statePath: statePathIn(settings.stateDir),
      own: ownFiles(settings.stateDir),
      emit: this.#emit,
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

  /**
   * Takes up another configuration, but for `state_dir`, from a new connection on: each stream is
   * opened again there, under a new epoch at the collector's cursor, so that what bytes become may
   * change without a line twice or left out. One call at a time.
   */
  async reconfigure(settings: AgentSettings): Promise<void> {
    this.#settings = { ...settings, stateDir: this.#settings.stateDir };
    this.#uplink.suspend();
    this.#roster.pause();
    this.#session.introduce({ ...this.#identity, ...introductionOf(settings) });
    try {
      await this.#sources.reconfigure(settings.sources, (owner) => this.#roster.remove(owner));
    } finally {
      this.#roster.relabel();
      this.#uplink.resume(targetOf(settings));
    }
    this.#emit({ kind: "reconfigured", sources: settings.sources.length });
  }

  /** Goes through what does the work: resolves when each source has looked at its logs, and the streams can be told of. */
  async look(): Promise<void> {
    await this.#sources.look();
    this.status();
  }

  status(): AgentStatus {
    const { host, version, stateDir, collectors } = this.#settings;
    return describeAgent({
      agent: { agentId: this.#identity.agentId, host, version, stateDir, collectors },
      meter: this.#meter,
      session: this.#session,
      workers: this.#roster.workers,
      clockMs: Date.now(),
      nowMs: performance.now(),
    });
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
      case "rotate":
        this.#rotateKey();
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

  /** From the next connection on the new key is used, and the collector ends the old one with that. */
  #rotateKey(): void {
    rotateKey(this.#settings).then(
      (isReplaced) => {
        if (!isReplaced) {
          const advice =
            "set token_file, and enrol this host: `sluice enroll new` on the collector";
          this.#emit({
            kind: "key-kept",
            reason: "it is not in a file of this agent's own",
            advice,
          });
          return;
        }
        this.#emit({ kind: "key-replaced" });
        this.#uplink.suspend();
        this.#roster.pause();
        this.#uplink.resume();
      },
      (error: unknown) => {
        const { message, advice } =
          error instanceof Failure
            ? error
            : { message: String(error), advice: "it is tried again with the next connection" };
        this.#emit({ kind: "key-kept", reason: message, advice });
      },
    );
  }

  #sendReport(): void {
    const nowMs = performance.now();
    for (const [key, worker] of this.#roster.workers) {
      worker.meter.observe(worker.lagBytes(this.#session.unackedBytesOf(key)), nowMs);
    }
    if (this.#session.phase !== "live") {
      return;
    }
    const backlogs = [...this.#roster.workers].map(([key, worker]) => ({
      key,
      behindBytes: worker.behindBytes,
    }));
    this.#uplink.perform(this.#session.report(backlogs, nowMs));
  }
}

function introductionOf({
  host,
  version,
  labels,
}: AgentSettings): Omit<AgentIdentity, "agentId" | "instance"> {
  return { hostname: host, version, labels };
}

function targetOf({ collectors, token, tls, tlsFiles, failbackMs }: AgentSettings): UplinkTarget {
  return { urls: collectors, token, tls, caFile: tlsFiles.caFile, failbackMs };
}
