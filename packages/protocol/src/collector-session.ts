import { CLOSE_CODES, type RejectCode, type ResetReason } from "./codes.ts";
import type {
  AgentMessage,
  CollectorMessage,
  HelloMessage,
  OpenStream,
  ResetStream,
  StreamBacklog,
  UnfinishedStream,
} from "./control.ts";
import { LIMITS } from "./limits.ts";

export type CollectorEffect =
  /** Make the agent known to the store, then call `welcomed`. */
  | { readonly kind: "introduce"; readonly hello: HelloMessage }
  /** Open these in the store, then call `opened`. */
  | { readonly kind: "open"; readonly streams: readonly OpenStream[] }
  /** Hand the binary message at hand to the writer. */
  | { readonly kind: "append" }
  | { readonly kind: "report"; readonly streams: readonly StreamBacklog[] }
  | { readonly kind: "send"; readonly message: CollectorMessage }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

/** A stream's fate in one commit, as the store tells it. */
export interface StreamOutcome {
  readonly stream: number;
  readonly outcome:
    | { readonly kind: "accepted"; readonly position: Position }
    | { readonly kind: "stale" }
    | { readonly kind: "reset"; readonly position: Position; readonly reason: ResetReason }
    | {
        readonly kind: "rejected";
        readonly position: Position;
        readonly code: RejectCode;
        readonly detail: string;
      };
}

interface Position {
  readonly epoch: number;
  readonly ordinal: number;
  readonly nextSeq: number;
  readonly cursor: Uint8Array;
}

export interface WelcomeTerms {
  readonly storeId: string;
  readonly creditBytes: number;
  readonly clockUs: number;
  readonly unfinished: readonly UnfinishedStream[];
}

interface WaitingMessage {
  readonly bytes: number;
  readonly rawBytes: number;
}

type Phase = "greeting" | "introducing" | "live" | "closed";

/**
 * The collector's side of one connection as a pure state machine: no socket, no clock, no store.
 * Each input returns the effects that the shell carries out, in order. The transition table stands
 * in PROTOCOL.md ("The collector's connection").
 */
export class CollectorSession {
  #phase: Phase = "greeting";
  /** Binary messages that the store has not taken in yet, in order. */
  readonly #waiting: WaitingMessage[] = [];
  #waitingBytes = 0;
  #waitingRawBytes = 0;
  #streams = 0;

  get phase(): Phase {
    return this.#phase;
  }

  receive(message: AgentMessage): CollectorEffect[] {
    if (this.#phase === "closed") {
      return [];
    }
    if (message.type === "hello") {
      if (this.#phase !== "greeting") {
        return this.#close(CLOSE_CODES.badMessage, "hello came twice");
      }
      this.#phase = "introducing";
      return [{ kind: "introduce", hello: message }];
    }
    if (this.#phase !== "live") {
      return this.#close(CLOSE_CODES.badMessage, `${message.type} came before welcome`);
    }
    switch (message.type) {
      case "open":
        this.#streams += message.streams.length;
        return this.#streams > LIMITS.streamsPerAgent
          ? this.#close(
              CLOSE_CODES.tooManyStreams,
              `more than ${LIMITS.streamsPerAgent} streams on one connection`,
            )
          : [{ kind: "open", streams: message.streams }];
      case "report":
        return [{ kind: "report", streams: message.streams }];
      default:
        return message satisfies never;
    }
  }

  /**
   * A binary message arrived.
   *
   * @param rawBytes what it claims to inflate to (`claimedRawBytes`)
   */
  receiveBinary(bytes: number, rawBytes: number): CollectorEffect[] {
    if (this.#phase === "closed") {
      return [];
    }
    if (this.#phase !== "live") {
      return this.#close(CLOSE_CODES.badMessage, "a batch came before welcome");
    }
    this.#waiting.push({ bytes, rawBytes });
    this.#waitingBytes += bytes;
    this.#waitingRawBytes += rawBytes;
    const isBeyond =
      this.#waitingBytes > LIMITS.creditPerAgentBytes + LIMITS.framePayloadBytes ||
      this.#waitingRawBytes > LIMITS.waitingRawBytes ||
      // One message is inflated at a time, whole.
      rawBytes > LIMITS.creditPerAgentBytes + LIMITS.payloadRawBytes;
    return isBeyond
      ? this.#close(CLOSE_CODES.creditExceeded, "sent more than its credit")
      : [{ kind: "append" }];
  }

  /** The message that `receiveBinary` let through last was not taken after all. */
  refused(): void {
    const message = this.#waiting.pop();
    this.#waitingBytes -= message?.bytes ?? 0;
    this.#waitingRawBytes -= message?.rawBytes ?? 0;
  }

  /** The oldest messages, of so many bytes together, were taken over and dropped. */
  dropped(bytes: number): void {
    this.#take(bytes);
  }

  welcomed(terms: WelcomeTerms): CollectorEffect[] {
    if (this.#phase !== "introducing") {
      return [];
    }
    this.#phase = "live";
    const { storeId, creditBytes, clockUs, unfinished } = terms;
    const { batchRawBytes, batchRecords, recordBytes, framePayloadBytes, streamsPerAgent } = LIMITS;
    const limits = {
      batchRawBytes,
      batchRecords,
      recordBytes,
      framePayloadBytes,
      streamsPerAgent,
    };
    const effects: CollectorEffect[] = [];
    for (let from = 0; from === 0 || from < unfinished.length; from += LIMITS.controlStreams) {
      const streams = unfinished.slice(from, from + LIMITS.controlStreams);
      const more = from + LIMITS.controlStreams < unfinished.length;
      const message: CollectorMessage =
        from === 0
          ? { type: "welcome", storeId, creditBytes, limits, clockUs, streams, more }
          : { type: "unfinished", streams, more };
      effects.push({ kind: "send", message });
    }
    return effects;
  }

  opened(
    streams: ReadonlyArray<Position & { readonly stream: number; readonly created: boolean }>,
  ): CollectorEffect[] {
    if (this.#phase !== "live") {
      return [];
    }
    const opened = streams.map(({ stream, epoch, ordinal, nextSeq, cursor, created }) => ({
      stream,
      epoch,
      ordinal,
      nextSeq,
      cursor,
      created,
    }));
    return [{ kind: "send", message: { type: "opened", streams: opened } }];
  }

  /** A commit that held messages of this connection was fsynced: one cumulative ack a stream. */
  committed(takenBytes: number, outcomes: readonly StreamOutcome[]): CollectorEffect[] {
    this.#take(takenBytes);
    if (this.#phase !== "live") {
      return [];
    }
    const acks = new Map<number, Position>();
    const others: CollectorMessage[] = [];
    let resets: ResetStream[] = [];
    for (const { stream, outcome } of outcomes) {
      switch (outcome.kind) {
        case "accepted":
          acks.set(stream, outcome.position);
          break;
        case "stale":
          break;
        case "reset": {
          const { epoch, ordinal, nextSeq, cursor } = outcome.position;
          const { reason } = outcome;
          const reset = { stream, epoch, ordinal, nextSeq, cursor, reason };
          const last = others.at(-1);
          // A damaged message sends all its connection's streams back: together, where they can go.
          if (last?.type === "reset" && resets.length < LIMITS.controlStreams) {
            resets.push(reset);
          } else {
            resets = [reset];
            others.push({ type: "reset", streams: resets });
          }
          break;
        }
        case "rejected": {
          const { epoch, ordinal, nextSeq, cursor } = outcome.position;
          const { code, detail } = outcome;
          others.push({ type: "reject", stream, epoch, ordinal, nextSeq, cursor, code, detail });
          break;
        }
        default:
          return outcome satisfies never;
      }
    }
    const streams = [...acks].map(([stream, { epoch, ordinal, nextSeq }]) => ({
      stream,
      epoch,
      ordinal,
      nextSeq,
    }));
    const sent: CollectorMessage[] = [];
    for (let from = 0; from < streams.length; from += LIMITS.controlStreams) {
      sent.push({ type: "ack", streams: streams.slice(from, from + LIMITS.controlStreams) });
    }
    return [...sent, ...others].map((message) => ({ kind: "send", message }));
  }

  /** The agent may have this many uncompressed bytes unacknowledged from now on; with 0 it waits. */
  grant(creditBytes: number): CollectorEffect[] {
    return this.#phase === "live"
      ? [{ kind: "send", message: { type: "credit", bytes: creditBytes } }]
      : [];
  }

  /** The message at hand is not frames. */
  malformed(detail: string): CollectorEffect[] {
    return this.#phase === "live" ? this.#close(CLOSE_CODES.badMessage, detail) : [];
  }

  /** Once `hello` is there, what takes time is the old connection or the store: no fault of the agent. */
  helloTimedOut(): CollectorEffect[] {
    return this.#phase === "greeting"
      ? this.#close(CLOSE_CODES.helloTimeout, "no hello in time")
      : [];
  }

  closed(): void {
    this.#phase = "closed";
  }

  /** Requests of a connection come back in the order in which they went. */
  #take(bytes: number): void {
    for (let left = bytes; left > 0;) {
      const message = this.#waiting.shift();
      if (message === undefined) {
        return;
      }
      left -= message.bytes;
      this.#waitingBytes -= message.bytes;
      this.#waitingRawBytes -= message.rawBytes;
    }
  }

  #close(code: number, reason: string): CollectorEffect[] {
    this.#phase = "closed";
    return [{ kind: "close", code, reason }];
  }
}
