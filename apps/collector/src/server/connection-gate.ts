import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { LIMITS } from "@sluice/protocol";

interface Visitor {
  readonly socket: Socket;
  readonly address: string;
}

/**
 * Counts the connections of the collector's port: in all, by address, and those that have not shown a
 * token yet. Of the last there is a number, and where it is reached a newcomer takes the place of the
 * oldest of the address that has the most, so that one peer that opens connections and says nothing
 * does not keep the others out. Where its own address has as many, the newcomer is turned away.
 */
export class ConnectionGate {
  readonly #onRefused: (address: string, reason: string) => void;
  /** Not authenticated yet, oldest first. */
  readonly #strangers = new Map<string, Visitor>();
  readonly #perAddress = new Map<string, number>();
  #total = 0;

  constructor(onRefused: (address: string, reason: string) => void) {
    this.#onRefused = onRefused;
  }

  attach(server: Server): void {
    server.on("connection", (socket: Socket) => this.#enter(socket));
  }

  /** The connection that a request came over belongs to somebody who holds a token. */
  authenticated({ socket }: IncomingMessage): void {
    this.#strangers.delete(keyOf(socket));
  }

  /** Whether there are more connections than may be, over all or from the request's address. */
  isCrowded({ socket }: IncomingMessage): boolean {
    const ofAddress = this.#perAddress.get(addressOf(socket)) ?? 0;
    return this.#total > LIMITS.connectionsTotal || ofAddress > LIMITS.connectionsPerIp;
  }

  #enter(socket: Socket): void {
    const address = addressOf(socket);
    const key = keyOf(socket);
    if (this.#strangers.size >= LIMITS.connectionsUnauthenticated && !this.#makeRoom(address)) {
      this.#onRefused(address, "too many connections that have not shown a token");
      socket.destroy();
      return;
    }
    this.#total += 1;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#strangers.set(key, { socket, address });
    socket.once("close", () => {
      this.#strangers.delete(key);
      this.#total -= 1;
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) {
        this.#perAddress.delete(address);
      } else {
        this.#perAddress.set(address, left);
      }
    });
  }

  /** Lets the oldest stranger of the address go that has more of them than the newcomer's would have. */
  #makeRoom(newcomer: string): boolean {
    const counts = new Map<string, number>();
    for (const { address } of this.#strangers.values()) {
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    const [crowd, most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
    if (most <= (counts.get(newcomer) ?? 0) + 1) {
      return false;
    }
    for (const [key, { socket, address }] of this.#strangers) {
      if (address === crowd) {
        this.#onRefused(address, "it held connections without showing a token");
        this.#strangers.delete(key);
        socket.destroy();
        break;
      }
    }
    return true;
  }
}

function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? "unknown";
}

/** The same for a TLS socket and the TCP socket under it. */
function keyOf(socket: Socket): string {
  return `${addressOf(socket)} ${socket.remotePort ?? 0}`;
}
