import assert from "node:assert/strict";
import {
  type CollectorEffect,
  CollectorSession,
  type StreamOutcome,
} from "../src/collector-session.ts";
import type { ResetReason } from "../src/codes.ts";
import type { AgentMessage, CollectorMessage, OpenStream } from "../src/control.ts";
import type { ModelFrame, ModelStore } from "./model-store.ts";

export interface FrameMessage {
  readonly kind: "frames";
  frames: readonly ModelFrame[];
  /** Its checksum does not match any more. */
  isDamaged: boolean;
  /** A full collector drops it, and resets its streams. */
  isShed: boolean;
  /** It vanishes, as no network should have it. */
  isLost: boolean;
}

export type AgentSent = { readonly kind: "control"; readonly message: AgentMessage } | FrameMessage;

/** One connection: what is on its way in both directions, in order. */
export interface Link {
  readonly id: number;
  readonly toCollector: AgentSent[];
  readonly toAgent: CollectorMessage[];
}

interface Connection {
  readonly link: Link;
  readonly session: CollectorSession;
  /** The reset for what was dropped is due. */
  isShedding: boolean;
}

type Request =
  | { readonly kind: "introduce"; readonly id: number }
  | { readonly kind: "open"; readonly id: number; readonly streams: readonly OpenStream[] }
  | { readonly kind: "append"; readonly id: number; readonly message: FrameMessage }
  | { readonly kind: "shed"; readonly id: number }
  | { readonly kind: "disconnect"; readonly id: number };

/** Collector sessions over the model of a store that commits in groups. */
export class ModelCollector {
  readonly #store: ModelStore;
  readonly #connections = new Map<number, Connection>();
  #queue: Request[] = [];
  /** connection -> the number its frames carry -> stream */
  readonly #numbers = new Map<number, Map<number, string>>();
  creditBytes: number;

  constructor(store: ModelStore, creditBytes: number) {
    this.#store = store;
    this.creditBytes = creditBytes;
  }

  accept(link: Link): void {
    this.#connections.set(link.id, { link, session: new CollectorSession(), isShedding: false });
  }

  receive(link: Link, sent: AgentSent): void {
    const connection = this.#connections.get(link.id);
    if (connection === undefined) {
      return;
    }
    if (sent.kind === "control") {
      this.#perform(connection, connection.session.receive(sent.message));
      return;
    }
    const effects = connection.session.receiveBinary(sent.frames.length, 0);
    assert.deepEqual(effects, [{ kind: "append" }], "an honest agent is never closed");
    if (sent.isShed) {
      connection.session.refused();
      if (!connection.isShedding) {
        connection.isShedding = true;
        this.#queue.push({ kind: "shed", id: link.id });
      }
    } else if (!sent.isLost) {
      this.#queue.push({ kind: "append", id: link.id, message: sent });
    }
  }

  grant(creditBytes: number): void {
    this.creditBytes = creditBytes;
    for (const { link, session } of this.#connections.values()) {
      if (session.phase === "live") {
        link.toAgent.push({ type: "credit", bytes: creditBytes });
      }
    }
  }

  /** All connections but this one are closed, and what of them still arrives is not taken. */
  fence(except: number | undefined): void {
    for (const [id, { session }] of this.#connections) {
      if (id !== except) {
        session.closed();
        this.#connections.delete(id);
        this.#queue.push({ kind: "disconnect", id });
      }
    }
  }

  /** One transaction over all that waits; `isToldOf` false: the collector dies before its replies. */
  commit(isToldOf: boolean): void {
    const requests = this.#queue;
    this.#queue = [];
    const replies = this.#store.transaction(() =>
      requests.map((request) => ({ request, reply: this.#carryOut(request) })),
    );
    for (const { request, reply } of isToldOf ? replies : []) {
      const connection = this.#connections.get(request.id);
      if (connection !== undefined) {
        connection.isShedding &&= request.kind !== "shed";
        this.#perform(connection, reply(connection.session));
      }
    }
  }

  crash(): void {
    this.#connections.clear();
    this.#numbers.clear();
    this.#queue = [];
    this.#store.crash();
  }

  /** Inside the transaction; returns what the session is told of it after the fsync. */
  #carryOut(request: Request): (session: CollectorSession) => CollectorEffect[] {
    const { id } = request;
    switch (request.kind) {
      case "introduce":
        return (session) =>
          session.welcomed({
            storeId: "store",
            creditBytes: this.creditBytes,
            clockUs: 0,
            unfinished: [],
          });
      case "open": {
        const numbers = this.#numbers.get(id) ?? new Map<number, string>();
        this.#numbers.set(id, numbers);
        const opened = request.streams.map(({ stream, source, initialCursor }) => {
          numbers.set(stream, source);
          return { stream, ...this.#store.open(source, initialCursor) };
        });
        return (session) => session.opened(opened);
      }
      case "disconnect":
        this.#numbers.delete(id);
        return () => [];
      case "append": {
        const outcomes = this.#append(id, request.message);
        return (session) => session.committed(request.message.frames.length, outcomes);
      }
      case "shed": {
        const outcomes = this.#resetAll(id, "overloaded");
        return (session) => session.committed(0, outcomes);
      }
      default:
        return request satisfies never;
    }
  }

  #resetAll(id: number, reason: ResetReason): StreamOutcome[] {
    return [...(this.#numbers.get(id) ?? [])].map(([stream, name]) => ({
      stream,
      outcome: this.#store.reset(name, reason),
    }));
  }

  #append(id: number, { frames, isDamaged }: FrameMessage): StreamOutcome[] {
    if (isDamaged) {
      return this.#resetAll(id, "corrupt");
    }
    const numbers = this.#numbers.get(id);
    return frames.flatMap((frame) => {
      const name = numbers?.get(frame.stream);
      return name === undefined
        ? []
        : [{ stream: frame.stream, outcome: this.#store.append(name, frame) }];
    });
  }

  #perform({ link }: Connection, effects: readonly CollectorEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "introduce":
          this.#queue.push({ kind: "introduce", id: link.id });
          break;
        case "open":
          this.#queue.push({ kind: "open", id: link.id, streams: effect.streams });
          break;
        case "send":
          this.#checkAcks(link, effect.message);
          link.toAgent.push(effect.message);
          break;
        case "append":
        case "report":
          break;
        case "close":
          assert.fail(`an honest agent was closed: ${effect.reason}`);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  #checkAcks(link: Link, message: CollectorMessage): void {
    for (const ack of message.type === "ack" ? message.streams : []) {
      const name = this.#numbers.get(link.id)?.get(ack.stream) ?? "";
      const durable = this.#store.streams.get(name);
      assert.ok(ack.ordinal <= (durable?.ordinal ?? 0), "an ack covers what is not committed");
    }
  }
}
