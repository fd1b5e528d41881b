import { randomUUID } from "node:crypto";
import {
  type CollectorMessage,
  decodeCollectorMessage,
  encodeControl,
  type HelloMessage,
  type OpenStream,
  PROTOCOL_VERSION,
  SUBPROTOCOL,
} from "@sluice/protocol";
import WebSocket from "ws";

const ANSWER_WITHIN_MS = 20_000;

export interface PeerTarget {
  readonly port: number;
  readonly token: string;
}

/** A connection of a test that speaks the protocol as far as the test wants it to. */
export class HostilePeer implements Disposable {
  readonly socket: WebSocket;
  /** The close code. */
  readonly closed: Promise<number>;
  readonly #received: CollectorMessage[] = [];
  #arrived = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", (code) => resolve(code)));
    void this.closed.then(() => this.#arrived.resolve());
    socket.on("error", () => socket.terminate()); // a close follows
    socket.on("message", (data: Buffer) => {
      const decoded = decodeCollectorMessage(data.toString("utf8"));
      if (!decoded.ok) throw new Error(`the collector sent ${decoded.error.detail}`);
      this.#received.push(decoded.value);
      this.#arrived.resolve();
    });
  }

  static async connect({ port, token }: PeerTarget): Promise<HostilePeer> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/agent`, SUBPROTOCOL, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    const peer = new HostilePeer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return peer;
  }

  /** Connects and says hello; resolves when it is welcome. */
  static async greet(target: PeerTarget, hello: Partial<HelloMessage> = {}): Promise<HostilePeer> {
    const peer = await HostilePeer.connect(target);
    peer.send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      agentId: randomUUID(),
      instance: "1",
      hostname: "hostile",
      version: "0.0.0",
      labels: {},
      clockUs: 0,
      ...hello,
    });
    await peer.next("welcome");
    return peer;
  }

  send(message: Parameters<typeof encodeControl>[0]): void {
    this.socket.send(encodeControl(message));
  }

  async open(...streams: readonly Partial<OpenStream>[]): Promise<void> {
    this.send({
      type: "open",
      streams: streams.map((stream, i) => ({
        stream: i,
        source: `/hostile/${i}`,
        generation: 0,
        initialCursor: Buffer.from("0"),
        labels: {},
        ...stream,
      })),
    });
    await this.next("opened");
  }

  /** The next message of a type; what comes before it is passed over. */
  async next<Type extends CollectorMessage["type"]>(
    type: Type,
  ): Promise<Extract<CollectorMessage, { type: Type }>> {
    const endMs = performance.now() + ANSWER_WITHIN_MS;
    for (;;) {
      for (let message = this.#received.shift(); message; message = this.#received.shift()) {
        if (message.type === type) return message as Extract<CollectorMessage, { type: Type }>;
      }
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`closed before ${type}`);
      if (performance.now() > endMs) throw new Error(`no ${type} in ${ANSWER_WITHIN_MS} ms`);
      this.#arrived = Promise.withResolvers<void>();
      await this.#arrived.promise;
    }
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
