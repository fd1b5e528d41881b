import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import {
  decodeCollectorMessage,
  encodeControl,
  type FramePosition,
  PROTOCOL_VERSION,
  SUBPROTOCOL,
} from "@sluice/protocol";
import WebSocket from "ws";

import type { Prng } from "../corpus/prng.ts";
import { FrameMutator, type Mutation } from "./frame-mutator.ts";

const STREAMS = 3;
/** Frames between two waits; the last may cost the connection. */
const WINDOW = 32;
/** A new connection after so many: each wait takes a number of the connection's streams. */
const WINDOWS_PER_CONNECTION = 100;
/** Of the others: most keep their checksum, and so get as far as the decoder or the store. */
const MILD = ["payload", "payload", "payload", "place", "place", "damaged"] as const;

const TURNED_AWAY_MS = 50;

/** No answer for this long means that the collector has stopped answering. */
const ANSWER_WITHIN_MS = 30_000;

export interface HostileTally {
  /** Mutated frames that the collector has taken in: it answered for those behind them, or closed. */
  frames: number;
  connections: number;
  /** Streams sent on in a new epoch, by reason or reject code. */
  readonly answers: Map<string, number>;
  readonly closes: Map<number, number>;
}

export interface HostileTarget {
  readonly url: string;
  readonly token: string;
  /** A loopback address of its own: the collector counts connections by address. */
  readonly address: string;
}

interface Link {
  readonly socket: WebSocket;
  readonly positions: FramePosition[];
  /** Openings that were answered: what was sent before the last of them has been through the writer. */
  openings: number;
  closed: number | undefined;
  changed: PromiseWithResolvers<void>;
}

/** An agent with a good token and bad intentions: it sends mutated frames, and comes back when it is closed. */
export class HostileAgent {
  readonly #target: HostileTarget;
  readonly #random: Prng;
  readonly #mutator: FrameMutator;
  readonly #tally: HostileTally;
  readonly #agentId: string = randomUUID();
  #link: Link | undefined;

  constructor(target: HostileTarget, random: Prng, tally: HostileTally) {
    this.#target = target;
    this.#random = random;
    this.#mutator = new FrameMutator(random);
    this.#tally = tally;
  }

  /** Sends windows of mutated frames while `isDue` says so. */
  async run(isDue: () => boolean): Promise<void> {
    while (isDue()) {
      this.#link ??= await this.#connect();
      if (this.#link.closed === undefined) await this.#sendWindow(this.#link);
      if (this.#link.closed !== undefined) this.#link = undefined;
    }
    this.#link?.socket.terminate();
  }

  async #sendWindow(link: Link): Promise<void> {
    const random = this.#random;
    const due = link.openings + 1;
    const send = (stream: number, mutation: Mutation | undefined): void => {
      const position = link.positions[stream];
      if (position === undefined) return;
      const frame =
        mutation === undefined
          ? this.#mutator.sound(position)
          : this.#mutator.next(position, mutation);
      link.socket.send(frame);
    };
    // One that fits, so that the streams move on: those that are mutated are what is counted.
    send(random.below(STREAMS), undefined);
    for (let i = 0; i < WINDOW - 1; i++) {
      send(random.below(STREAMS), MILD[random.below(MILD.length)]);
    }
    send(random.below(STREAMS), "header");
    link.socket.send(encodeControl({ type: "open", streams: [opening(STREAMS + due, "wait")] }));
    await this.#until(link, () => link.openings >= due);
    this.#tally.frames += WINDOW;
    if (due > WINDOWS_PER_CONNECTION) link.socket.terminate();
  }

  async #connect(): Promise<Link> {
    const { url, token, address } = this.#target;
    const socket = new WebSocket(new URL("/v1/agent", url), SUBPROTOCOL, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      localAddress: address,
    });
    const link: Link = {
      socket,
      positions: [],
      openings: 0,
      closed: undefined,
      changed: Promise.withResolvers<void>(),
    };
    socket.on("message", (data: Buffer) => this.#receive(link, data));
    socket.on("error", () => socket.terminate()); // a close follows
    socket.on("close", (code) => {
      this.#tally.closes.set(code, (this.#tally.closes.get(code) ?? 0) + 1);
      link.closed = code;
      link.changed.resolve();
    });
    await Promise.race([once(socket, "open").catch(() => undefined), link.changed.promise]);
    if (socket.readyState !== WebSocket.OPEN) {
      await delay(TURNED_AWAY_MS); // the port has no place for a stranger at the moment
      return link;
    }
    this.#tally.connections += 1;
    const identity = { hostname: "hostile", version: "0.0.0", labels: {} };
    socket.send(
      encodeControl({
        type: "hello",
        protocol: PROTOCOL_VERSION,
        agentId: this.#agentId,
        instance: "hostile",
        ...identity,
        clockUs: 0,
      }),
    );
    await this.#until(link, () => link.positions.length >= STREAMS);
    return link;
  }

  #receive(link: Link, data: Buffer): void {
    const decoded = decodeCollectorMessage(data.toString("utf8"));
    if (!decoded.ok) throw new Error(`the collector sent ${decoded.error.detail}`);
    const message = decoded.value;
    switch (message.type) {
      case "welcome":
        link.socket.send(
          encodeControl({
            type: "open",
            streams: Array.from({ length: STREAMS }, (_, stream) =>
              opening(stream, String(stream)),
            ),
          }),
        );
        break;
      case "opened":
        for (const at of message.streams) {
          if (at.stream < STREAMS) this.#place(link, at);
          else link.openings += 1;
        }
        break;
      case "ack":
        for (const at of message.streams) this.#place(link, at);
        this.#count("acked", message.streams.length);
        break;
      case "reset":
        for (const at of message.streams) {
          if (at.stream >= STREAMS) continue;
          this.#place(link, at);
          this.#count(at.reason, 1);
        }
        break;
      case "reject":
        this.#place(link, message);
        this.#count(message.code, 1);
        break;
      default:
        break; // credit, goaway, failed, unfinished: nothing to send on by
    }
    link.changed.resolve();
  }

  #place(
    link: Link,
    at: { stream: number; epoch: number; ordinal: number; nextSeq: number },
  ): void {
    const { stream, epoch, ordinal, nextSeq } = at;
    const cursor = Buffer.from(String(ordinal));
    link.positions[stream] = { stream, epoch, ordinal, firstSeq: nextSeq, count: 0, cursor };
  }

  #count(answer: string, times: number): void {
    this.#tally.answers.set(answer, (this.#tally.answers.get(answer) ?? 0) + times);
  }

  /** @throws where the collector neither answers nor closes */
  async #until(link: Link, isSo: () => boolean): Promise<void> {
    const silent = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => silent.reject(new Error(`no answer for ${ANSWER_WITHIN_MS} ms`)),
      ANSWER_WITHIN_MS,
    );
    try {
      while (link.closed === undefined && !isSo()) {
        link.changed = Promise.withResolvers<void>();
        await Promise.race([link.changed.promise, silent.promise]);
      }
    } finally {
      clearTimeout(timer);
      silent.resolve();
    }
  }
}

function opening(stream: number, name: string) {
  const initialCursor = Buffer.from("0");
  return { stream, source: `/hostile/${name}`, generation: 0, initialCursor, labels: {} };
}
