import { randomUUID } from "node:crypto";
import { LIMITS } from "@sluice/protocol";
import type { WebSocket } from "ws";

/** Whether the other side of a socket is still there: silence is asked about, and ended when it lasts. */
export class SocketPulse implements Disposable {
  readonly #socket: WebSocket;
  readonly #timer: NodeJS.Timeout;
  readonly #pongs = new Map<string, (answered: boolean) => void>();
  #lastHeardMs = performance.now();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#timer = setInterval(() => this.#watch(), LIMITS.pingIntervalMs / 4);
    socket.on("message", () => this.#heard());
    socket.on("ping", () => this.#heard());
    socket.on("pong", (data) => {
      this.#heard();
      this.#pongs.get(data.toString("latin1"))?.(true);
    });
  }

  /** Only the answer to this very ping counts: what a killed agent left in the socket does not. */
  async answersPing(withinMs: number): Promise<boolean> {
    const nonce = randomUUID();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), withinMs);
    this.#pongs.set(nonce, resolve);
    this.#socket.ping(nonce);
    const answered = await promise;
    clearTimeout(timer);
    this.#pongs.delete(nonce);
    return answered;
  }

  /** Whoever waits for an answer is told that there is none. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const resolve of this.#pongs.values()) {
      resolve(false);
    }
  }

  #heard(): void {
    this.#lastHeardMs = performance.now();
  }

  #watch(): void {
    const silentMs = performance.now() - this.#lastHeardMs;
    if (silentMs > LIMITS.deadAfterMs) {
      this.#socket.terminate();
    } else if (silentMs > LIMITS.pingIntervalMs / 2) {
      this.#socket.ping();
    }
  }
}
