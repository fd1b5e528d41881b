import type { AgentEffect, FrameDraft, StreamOffer } from "./agent-effect.ts";
import {
  type CollectorMessage,
  PROTOCOL_VERSION,
  type RejectMessage,
  type StreamBacklog,
  type UnfinishedStream,
} from "./control.ts";
import type { FramePosition } from "./frame.ts";
import { LIMITS } from "./limits.ts";
import { StreamWindow } from "./stream-window.ts";

type Phase = "down" | "greeting" | "live";

/** How this agent introduces itself; sent with each `hello`. */
export interface AgentIdentity {
  readonly agentId: string;
  readonly instance: string;
  readonly hostname: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The agent's side of the protocol as a pure state machine: no socket, no clock, no files. Each
 * input returns the effects that the shell carries out, in order. The transition table stands in
 * PROTOCOL.md ("The agent's connection").
 */
export class AgentSession {
  #identity: AgentIdentity;
  readonly #streams = new Map<number, StreamWindow>();
  /** This connection's stream numbers -> key. */
  readonly #keys: number[] = [];
  #phase: Phase = "down";
  #storeId: string | undefined;
  #creditBytes = 0;
  #unackedBytes = 0;

  constructor(identity: AgentIdentity) {
    this.#identity = identity;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** The store that this connection reaches; undefined until `welcome`. */
  get storeId(): string | undefined {
    return this.#storeId;
  }

  /** What the collector has granted this connection, in uncompressed bytes. */
  get creditBytes(): number {
    return this.#creditBytes;
  }

  /** What of it is on its way. */
  get unackedBytes(): number {
    return this.#unackedBytes;
  }

  /** No message is on its way: the clock that lets small batches leave. */
  get isQuiet(): boolean {
    return this.#unackedBytes === 0;
  }

  /** Credit left, in uncompressed bytes; a frame may always leave when nothing is on its way. */
  get window(): number {
    if (this.#phase !== "live" || this.#creditBytes === 0) {
      return 0;
    }
    return this.#unackedBytes === 0
      ? Math.max(this.#creditBytes, LIMITS.batchRawBytes)
      : Math.max(0, this.#creditBytes - this.#unackedBytes);
  }

  /** From the next `hello` on. */
  introduce(identity: AgentIdentity): void {
    this.#identity = identity;
  }

  connected(clockUs: number): AgentEffect[] {
    this.#phase = "greeting";
    return [
      {
        kind: "send",
        message: { type: "hello", protocol: PROTOCOL_VERSION, ...this.#identity, clockUs },
      },
    ];
  }

  /** The connection is gone: what was on its way is void until the streams are opened again. */
  disconnected(): void {
    this.#phase = "down";
    this.#keys.length = 0;
    this.#unackedBytes = 0;
    for (const stream of this.#streams.values()) {
      stream.disconnected();
    }
  }

  offer(offer: StreamOffer): AgentEffect[] {
    this.#streams.set(offer.key, new StreamWindow(offer));
    return this.#phase === "live" ? this.#open() : [];
  }

  /** From the next connection on. */
  relabel(key: number, labels: StreamOffer["labels"]): void {
    this.#streams.get(key)?.relabel(labels);
  }

  /** Credit that a stream's frames on their way take. */
  unackedBytesOf(key: number): number {
    return this.#streams.get(key)?.unackedBytes ?? 0;
  }

  /** The stream is finished and all of it is acknowledged, or it is not this agent's any more. */
  forget(key: number): void {
    this.#unackedBytes -= this.#streams.get(key)?.unackedBytes ?? 0;
    this.#streams.delete(key);
  }

  receive(message: CollectorMessage): AgentEffect[] {
    switch (message.type) {
      case "welcome":
        this.#storeId = message.storeId;
        this.#creditBytes = message.creditBytes;
        return this.#takeUnfinished(message.storeId, message);
      case "unfinished":
        return this.#takeUnfinished(this.#storeId ?? "", message);
      case "opened":
        return message.streams.flatMap((to) => this.#tell(to, (stream) => stream.opened(to)));
      case "ack":
        return message.streams.flatMap((ack) =>
          this.#tell(ack, (stream) => stream.acknowledge(ack)),
        );
      case "reset":
        return message.streams.flatMap((to) => this.#tell(to, (stream) => stream.reset(to)));
      case "reject":
        return this.#reject(message);
      case "credit":
        this.#creditBytes = message.bytes;
        return [{ kind: "credit" }];
      case "goaway":
        return [{ kind: "goaway", retryAfterMs: message.retryAfterMs ?? 0 }];
      case "rotate":
        return [{ kind: "rotate" }];
      case "failed":
        return [
          {
            kind: "failed",
            key: message.stream === undefined ? undefined : this.#keys[message.stream],
            code: message.code,
            detail: message.message,
          },
        ];
      default:
        return message satisfies never;
    }
  }

  /**
   * Gives a frame its place and counts it as on its way.
   *
   * @param epoch the one of the `rewind` after which its bytes were read
   * @returns undefined where the stream has been rewound since (the frame is void) or is not open
   */
  place(key: number, epoch: number, draft: FrameDraft, nowMs: number): FramePosition | undefined {
    const position = this.#streams.get(key)?.place(epoch, draft, nowMs);
    this.#unackedBytes += position === undefined ? 0 : draft.creditBytes;
    return position;
  }

  /** Whether a frame that `place` gave this ordinal, in this epoch, is neither acknowledged nor void. */
  isOnItsWay(key: number, epoch: number, ordinal: number): boolean {
    return this.#streams.get(key)?.isOnItsWay(epoch, ordinal) ?? false;
  }

  /** Age of the oldest frame on its way, in ms; undefined when there is none. */
  oldestUnackedMs(nowMs: number): number | undefined {
    let oldest: number | undefined;
    for (const stream of this.#streams.values()) {
      const ageMs = stream.oldestUnackedMs(nowMs);
      if (ageMs !== undefined) {
        oldest = Math.max(oldest ?? 0, ageMs);
      }
    }
    return oldest;
  }

  /** The streams whose backlog is not what was reported last; `behindBytes` is what no frame holds yet. */
  report(
    backlogs: ReadonlyArray<{ readonly key: number; readonly behindBytes: number }>,
    nowMs: number,
  ): AgentEffect[] {
    const streams: StreamBacklog[] = [];
    for (const { key, behindBytes } of backlogs) {
      const stream = this.#streams.get(key);
      if (this.#phase !== "live" || stream?.phase !== "open") {
        continue;
      }
      const backlog = stream.backlog(behindBytes, nowMs);
      if (backlog !== undefined) {
        streams.push(backlog);
      }
    }
    const effects: AgentEffect[] = [];
    for (let from = 0; from < streams.length; from += LIMITS.controlStreams) {
      const part = streams.slice(from, from + LIMITS.controlStreams);
      effects.push({ kind: "send", message: { type: "report", streams: part } });
    }
    return effects;
  }

  #takeUnfinished(
    storeId: string,
    message: { readonly streams: readonly UnfinishedStream[]; readonly more: boolean },
  ): AgentEffect[] {
    const told: AgentEffect = { kind: "unfinished", storeId, streams: message.streams };
    if (message.more) {
      return [told];
    }
    this.#phase = "live";
    return [told, ...this.#open()];
  }

  #open(): AgentEffect[] {
    const opening: StreamWindow[] = [];
    for (const stream of this.#streams.values()) {
      if (stream.phase === "idle") {
        stream.opening(this.#keys.length);
        this.#keys.push(stream.offer.key);
        opening.push(stream);
      }
    }
    const messages: AgentEffect[] = [];
    for (let from = 0; from < opening.length; from += LIMITS.controlStreams) {
      const streams = opening
        .slice(from, from + LIMITS.controlStreams)
        .map(({ number, offer: { source, generation, initialCursor, labels } }) => ({
          stream: number,
          source,
          generation,
          initialCursor: initialCursor(this.#storeId ?? ""),
          labels,
        }));
      messages.push({ kind: "send", message: { type: "open", streams } });
    }
    return messages;
  }

  #reject(reject: RejectMessage): AgentEffect[] {
    const effects = this.#tell(reject, (stream) => stream.reject(reject));
    // A stopped stream sends nothing more: what it held of the credit is for the others.
    return effects.some(({ kind }) => kind === "stopped")
      ? [...effects, { kind: "credit" }]
      : effects;
  }

  /** Lets a stream take what the collector says of it, and keeps the sum of what is on its way. */
  #tell(
    about: { readonly stream: number },
    take: (stream: StreamWindow) => AgentEffect | undefined,
  ): AgentEffect[] {
    const key = this.#keys[about.stream];
    const stream = key === undefined ? undefined : this.#streams.get(key);
    if (stream === undefined) {
      return [];
    }
    const before = stream.unackedBytes;
    const effect = take(stream);
    this.#unackedBytes += stream.unackedBytes - before;
    return effect === undefined ? [] : [effect];
  }
}
