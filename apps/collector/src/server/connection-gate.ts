import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { LIMITS } from "@sluice/protocol";

interface Visitor {
  readonly sinceMs: number;
  readonly socket: Socket;
  readonly address: string;
}

/**
 * Counts the connections of the collector's port: in all, by address, and strangers, which have not shown
 * a token yet. A stranger has a moment for itself. Of those that took longer only some are kept: the oldest
 * of the address that has the most go first, so that one peer that opens connections and says nothing does
 * not keep the others out. Where all places are taken by newcomers, one more is turned away, unless its
 * address has fewer than another.
 */
export class ConnectionGate {
  readonly #onRefused: (address: string, reason: string) => void;
  readonly #nowMs: () => number;
  /** Not authenticated yet, oldest first. */
  readonly #strangers = new Map<string, Visitor>();
  readonly #perAddress = new Map<string, number>();
  #total = 0;

  constructor(
    onRefused: (address: string, reason: string) => void,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#onRefused = onRefused;
    this.#nowMs = nowMs;
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
    const sinceMs = this.#nowMs();
    this.#closeLate(sinceMs - LIMITS.strangerGraceMs);
    if (this.#strangers.size >= LIMITS.connectionsArriving && !this.#makeRoom(address)) {
      this.#onRefused(address, "too many connections that have not shown a token");
      socket.destroy();
      return;
    }
    this.#total += 1;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#strangers.set(key, { sinceMs, socket, address });
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

  /** Of strangers that came up to a time, keeps as many as may be. */
  #closeLate(upToMs: number): void {
    const late = [...this.#strangers.values()].filter(({ sinceMs }) => sinceMs <= upToMs);
    for (let left = late.length; left > LIMITS.connectionsUnauthenticated; left--) {
      const [crowd] = crowdOf(late.filter(({ socket }) => !socket.destroyed));
      this.#closeOldest(crowd);
    }
  }

  /** Lets the oldest stranger of the address go that has more of them than the newcomer's would have. */
  #makeRoom(newcomer: string): boolean {
    const strangers = [...this.#strangers.values()];
    const [crowd, most] = crowdOf(strangers);
    if (most <= strangers.filter(({ address }) => address === newcomer).length + 1) {
      return false;
    }
    this.#closeOldest(crowd);
    return true;
  }

  #closeOldest(crowd: string): void {
    for (const [key, { socket, address }] of this.#strangers) {
      if (address === crowd) {
        this.#onRefused(address, "it held connections without showing a token");
        this.#strangers.delete(key);
        socket.destroy();
        return;
      }
    }
  }
}

/** The address that has the most of them, and how many. */
function crowdOf(visitors: readonly Visitor[]): readonly [string, number] {
  const counts = new Map<string, number>();
  for (const { address } of visitors) {
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0] as const);
}

function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? "unknown";
}

/** The same for a TLS socket and the TCP socket under it. */
function keyOf(socket: Socket): string {
  return `${addressOf(socket)} ${socket.remotePort ?? 0}`;
}
