import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  type AgentEffect,
  AgentSession,
  decodeCollectorMessage,
  encodeControl,
  encodeFrame,
  PAYLOAD_CODEC_ZSTD,
  SUBPROTOCOL,
} from "@sluice/protocol";
import WebSocket from "ws";

import type { NamedStream } from "./bench-store.ts";
import type { BatchDraft } from "./corpus-thread.ts";

/** Bytes that the socket may hold back before its agent waits. */
const SOCKET_BYTES = 4 << 20;

/**
 * An agent that reads nothing: it sends batches which lie ready, within the credit that it is given,
 * so that what is measured is the collector alone.
 */
export class LoadAgent implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #session: AgentSession;
  readonly #epochs = new Map<number, number>();
  #changed = Promise.withResolvers<void>();
  #failure: Error | undefined;
  /** Streams that were sent back to what is stored, after they were opened. */
  resets = 0;

  private constructor(socket: WebSocket, hostname: string) {
    this.#socket = socket;
    this.#session = new AgentSession({
      agentId: randomUUID(),
      instance: randomUUID(),
      hostname,
      version: "0.1.0",
      labels: {},
    });
    socket.on("message", (data: Buffer) => {
      const decoded = decodeCollectorMessage(data.toString("utf8"));
      if (decoded.ok) this.#perform(this.#session.receive(decoded.value));
      else this.#fail(new Error(`not understood: ${JSON.stringify(decoded.error)}`));
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the collector closed the connection")));
  }

  /** Connects, and resolves when every stream is open. */
  static async connect(
    url: string,
    token: string,
    host: string,
    streams: readonly NamedStream[],
  ): Promise<LoadAgent> {
    const socket = new WebSocket(new URL("/v1/agent", url), SUBPROTOCOL, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    await once(socket, "open");
    const agent = new LoadAgent(socket, host);
    for (const { stream, source } of streams) {
      agent.#session.offer({
        key: stream,
        source,
        generation: 1,
        initialCursor: beginning,
        labels: {},
      });
    }
    agent.#perform(agent.#session.connected(Date.now() * 1000));
    await agent.#until(() => agent.#epochs.size === streams.length);
    agent.resets = 0;
    return agent;
  }

  /** Sends a batch as soon as the credit allows. */
  async send({ stream, ...draft }: BatchDraft): Promise<void> {
    const { count, rawBytes, textBytes, payload, minTimeUs, maxTimeUs } = draft;
    await this.#until(
      () => this.#session.window >= rawBytes && this.#socket.bufferedAmount < SOCKET_BYTES,
    );
    const position = this.#session.place(
      stream,
      this.#epochs.get(stream) ?? 0,
      {
        count,
        creditBytes: rawBytes,
        bodyBytes: textBytes,
        cursor: Buffer.from("1"),
        isFinal: false,
      },
      performance.now(),
    );
    if (position === undefined) throw new Error(`stream ${stream} is not open`);
    const batch = { kind: "batch", minTimeUs, maxTimeUs, rawBytes } as const;
    const frame = encodeFrame({ ...position, ...batch, payload, codec: PAYLOAD_CODEC_ZSTD });
    this.#socket.send(frame, { binary: true }, () => this.#wake());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.removeAllListeners("close");
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.close();
      await once(this.#socket, "close");
    }
  }

  #perform(effects: readonly AgentEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "send") {
        this.#socket.send(encodeControl(effect.message));
      } else if (effect.kind === "rewind") {
        this.#epochs.set(effect.key, effect.epoch);
        this.resets += 1;
      } else if (effect.kind === "failed" || effect.kind === "stopped") {
        this.#fail(new Error(`${effect.kind}: ${effect.detail}`));
      }
    }
    this.#wake();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#changed = Promise.withResolvers<void>();
      await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}

function beginning(): Uint8Array {
  return Buffer.from("0");
}
