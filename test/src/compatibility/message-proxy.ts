import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

export type Sender = "agent" | "collector";

export interface MessageProxyOptions {
  /** Port of the collector. */
  readonly port: number;
  /** Sees each message as it is passed on. */
  readonly passed?: (from: Sender, data: Buffer, isBinary: boolean) => void;
  /** Control messages that are passed on in the place of one. */
  readonly rewrite?: (text: string) => readonly string[];
}

/** Stands between agents and a collector, and passes whole messages on, not bytes. */
export class MessageProxy implements AsyncDisposable {
  readonly #server: WebSocketServer;
  readonly #options: MessageProxyOptions;

  private constructor(options: MessageProxyOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      host: "127.0.0.1",
      port: 0,
      perMessageDeflate: false,
      handleProtocols: (protocols) => [...protocols][0] ?? false,
    });
    this.#server.on("connection", (agent, request) => this.#connect(agent, request));
  }

  static async start(options: MessageProxyOptions): Promise<MessageProxy> {
    const proxy = new MessageProxy(options);
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #connect(agent: WebSocket, request: IncomingMessage): void {
    const { authorization = "" } = request.headers;
    const collector = new WebSocket(
      `ws://127.0.0.1:${this.#options.port}${request.url}`,
      [agent.protocol],
      {
        headers: { authorization },
        perMessageDeflate: false,
      },
    );
    const open = once(collector, "open");
    this.#pass(
      "agent",
      agent,
      (send) => void open.then(() => send(collector)).catch(() => agent.terminate()),
    );
    this.#pass("collector", collector, (send) => send(agent));
    agent.on("close", () => collector.terminate());
    collector.on("close", () => agent.terminate());
    for (const socket of [agent, collector]) socket.on("error", () => socket.terminate());
  }

  #pass(from: Sender, socket: WebSocket, to: (send: (other: WebSocket) => void) => void): void {
    const { passed, rewrite = (text) => [text] } = this.#options;
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      passed?.(from, data, isBinary);
      const messages = isBinary ? [data] : rewrite(data.toString("utf8"));
      to((other) => {
        for (const message of messages) other.send(message, { binary: isBinary });
      });
    });
  }
}
