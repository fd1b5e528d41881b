import {
  type AgentMessage,
  type CollectorMessage,
  PROTOCOL_VERSION,
  type StreamBacklog,
  type UnfinishedStream,
} from "./control.ts";
import type { FramePosition } from "./frame.ts";
import { LIMITS } from "./limits.ts";

/** A stream as its source announces it; `key` is the agent's own name for it. */
export interface StreamOffer {
  readonly key: number;
  readonly source: string;
  readonly generation: number;
  /** Where a store that does not know the stream begins it; fsynced by the agent before. */
  readonly initialCursor: (storeId: string) => Uint8Array;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a frame adds to its stream, before the session gives it its place. */
export interface FrameDraft {
  readonly count: number;
  /** What the frame takes of the credit: uncompressed payload bytes. */
  readonly creditBytes: number;
  /** Bytes of its bodies: what the frame takes off the backlog. */
  readonly bodyBytes: number;
  readonly cursor: Uint8Array;
  /** The stream ends with this frame. */
  readonly isFinal: boolean;
}

export type AgentEffect =
  | { readonly kind: "send"; readonly message: AgentMessage }
  /** What this store knows of the agent, before any stream is opened: for an agent that lost its state. */
  | {
      readonly kind: "unfinished";
      readonly storeId: string;
      readonly streams: readonly UnfinishedStream[];
    }
  /** Whatever was read of the stream and not sent is void; read on from this cursor. */
  | {
      readonly kind: "rewind";
      readonly key: number;
      readonly epoch: number;
      readonly nextSeq: number;
      readonly cursor: Uint8Array;
      /** The stream is new to this store: the agent decides between its checkpoint and the initial cursor. */
      readonly created: boolean;
      readonly rejected: RejectedFrame | undefined;
    }
  /** Everything up to the cursor is durable; `finished` when that includes the stream's end. */
  | {
      readonly kind: "acked";
      readonly key: number;
      readonly nextSeq: number;
      readonly cursor: Uint8Array;
      readonly finished: boolean;
    }
  /** Three rejects in a row: the stream holds its position until the agent restarts. */
  | {
      readonly kind: "stopped";
      readonly key: number;
      readonly code: string;
      readonly detail: string;
    }
  /** The collector leaves in good order and asks to be left alone for this long. */
  | { readonly kind: "goaway"; readonly retryAfterMs: number }
  /** The collector cannot serve the stream (or, without a key, the last request). */
  | {
      readonly kind: "failed";
      readonly key: number | undefined;
      readonly code: string;
      readonly detail: string;
    };

/** The frame that the collector will never accept: the agent sets it aside and sends a gap in its place. */
export interface RejectedFrame {
  readonly ordinal: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly cursorAfter: Uint8Array;
  readonly code: string;
  readonly detail: string;
}

interface InFlight {
  readonly ordinal: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly creditBytes: number;
  readonly bodyBytes: number;
  readonly cursor: Uint8Array;
  readonly isFinal: boolean;
  readonly sentMs: number;
}

interface StreamState {
  readonly offer: StreamOffer;
  phase: "idle" | "opening" | "open" | "stopped";
  number: number;
  epoch: number;
  ordinal: number;
  nextSeq: number;
  inFlight: InFlight[];
  rejectsInARow: number;
  reported: StreamBacklog | undefined;
}

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
 * PROTOCOL.md ("Agent session").
 */
export class AgentSession {
  readonly #identity: AgentIdentity;
  readonly #streams = new Map<number, StreamState>();
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
      stream.inFlight = [];
      stream.reported = undefined;
      stream.phase = stream.phase === "stopped" ? "stopped" : "idle";
    }
  }

  offer(offer: StreamOffer): AgentEffect[] {
    this.#streams.set(offer.key, {
      offer,
      phase: "idle",
      number: 0,
      epoch: 0,
      ordinal: 0,
      nextSeq: 0,
      inFlight: [],
      rejectsInARow: 0,
      reported: undefined,
    });
    return this.#phase === "live" ? this.#open() : [];
  }

  /** The stream is finished and all of it is acknowledged. */
  forget(key: number): void {
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
        return message.streams.flatMap((opened) => {
          const stream = this.#numbered(opened.stream);
          if (stream === undefined) {
            return [];
          }
          stream.phase = "open";
          return this.#reposition(stream, opened, opened.created, undefined);
        });
      case "ack":
        return message.streams.flatMap((ack) => this.#acknowledge(ack));
      case "reset":
        return message.streams.flatMap((reset) => {
          const stream = this.#numbered(reset.stream);
          return stream === undefined ? [] : this.#reposition(stream, reset, false, undefined);
        });
      case "reject":
        return this.#reject(message);
      case "credit":
        this.#creditBytes = message.bytes;
        return [];
      case "goaway":
        return [{ kind: "goaway", retryAfterMs: message.retryAfterMs ?? 0 }];
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
   * @param epoch the epoch under which its bytes were read
   * @returns undefined where the stream has been rewound since (the frame is void) or is not open
   */
  place(key: number, epoch: number, draft: FrameDraft, nowMs: number): FramePosition | undefined {
    const stream = this.#streams.get(key);
    if (stream === undefined || stream.phase !== "open" || stream.epoch !== epoch) {
      return undefined;
    }
    const { ordinal, nextSeq } = stream;
    stream.inFlight.push({
      ordinal,
      firstSeq: nextSeq,
      count: draft.count,
      creditBytes: draft.creditBytes,
      bodyBytes: draft.bodyBytes,
      cursor: draft.cursor,
      isFinal: draft.isFinal,
      sentMs: nowMs,
    });
    stream.ordinal += 1;
    stream.nextSeq += draft.count;
    this.#unackedBytes += draft.creditBytes;
    return {
      stream: stream.number,
      epoch,
      ordinal,
      firstSeq: nextSeq,
      count: draft.count,
      cursor: draft.cursor,
    };
  }

  /** Age of the oldest frame on its way, in ms; undefined when there is none. */
  oldestUnackedMs(nowMs: number): number | undefined {
    let oldest: number | undefined;
    for (const stream of this.#streams.values()) {
      const first = stream.inFlight[0];
      if (first !== undefined) {
        oldest = Math.max(oldest ?? 0, nowMs - first.sentMs);
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
      const onTheWay = stream.inFlight.reduce((sum, frame) => sum + frame.bodyBytes, 0);
      const first = stream.inFlight[0];
      const backlog = {
        stream: stream.number,
        behindBytes: behindBytes + onTheWay,
        oldestUnackedMs: first === undefined ? 0 : Math.round(nowMs - first.sentMs),
      };
      if (
        backlog.behindBytes !== stream.reported?.behindBytes ||
        backlog.oldestUnackedMs !== stream.reported.oldestUnackedMs
      ) {
        stream.reported = backlog;
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
    const opening: StreamState[] = [];
    for (const stream of this.#streams.values()) {
      if (stream.phase === "idle") {
        stream.phase = "opening";
        stream.number = this.#keys.length;
        this.#keys.push(stream.offer.key);
        opening.push(stream);
      }
    }
    if (opening.length === 0) {
      return [];
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

  #numbered(number: number): StreamState | undefined {
    const key = this.#keys[number];
    return key === undefined ? undefined : this.#streams.get(key);
  }

  #reposition(
    stream: StreamState,
    to: { epoch: number; ordinal: number; nextSeq: number; cursor: Uint8Array },
    created: boolean,
    rejected: RejectedFrame | undefined,
  ): AgentEffect[] {
    for (const frame of stream.inFlight) {
      this.#unackedBytes -= frame.creditBytes;
    }
    stream.inFlight = [];
    stream.epoch = to.epoch;
    stream.ordinal = to.ordinal;
    stream.nextSeq = to.nextSeq;
    return [
      {
        kind: "rewind",
        key: stream.offer.key,
        epoch: to.epoch,
        nextSeq: to.nextSeq,
        cursor: to.cursor,
        created,
        rejected,
      },
    ];
  }

  #acknowledge(ack: { stream: number; epoch: number; ordinal: number }): AgentEffect[] {
    const stream = this.#numbered(ack.stream);
    if (stream === undefined || ack.epoch !== stream.epoch) {
      return [];
    }
    let last: InFlight | undefined;
    while (stream.inFlight[0] !== undefined && stream.inFlight[0].ordinal < ack.ordinal) {
      last = stream.inFlight.shift() as InFlight;
      this.#unackedBytes -= last.creditBytes;
    }
    if (last === undefined) {
      return [];
    }
    stream.rejectsInARow = 0;
    return [
      {
        kind: "acked",
        key: stream.offer.key,
        nextSeq: last.firstSeq + last.count,
        cursor: last.cursor,
        finished: last.isFinal,
      },
    ];
  }

  #reject(reject: Extract<CollectorMessage, { type: "reject" }>): AgentEffect[] {
    const stream = this.#numbered(reject.stream);
    if (stream === undefined) {
      return [];
    }
    const refused = stream.inFlight.find((frame) => frame.ordinal === reject.ordinal);
    stream.rejectsInARow += 1;
    const { code, detail } = reject;
    const rejected: RejectedFrame | undefined =
      refused === undefined
        ? undefined
        : {
            ordinal: refused.ordinal,
            firstSeq: refused.firstSeq,
            count: refused.count,
            cursorAfter: refused.cursor,
            code,
            detail,
          };
    const rewind = this.#reposition(stream, reject, false, rejected);
    if (stream.rejectsInARow < LIMITS.rejectsInARow) {
      return rewind;
    }
    stream.phase = "stopped";
    return [{ kind: "stopped", key: stream.offer.key, code, detail }];
  }
}
