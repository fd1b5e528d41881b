import { once } from "node:events";
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from "node:net";

import { ChaosLink, type Side } from "./chaos-link.ts";
import type { Weather } from "./chaos-lane.ts";
import { controlOf, type SeenControl, type WireFrame } from "./wire-frame.ts";

/** Waits for one frame and acts at the moment at which it arrives. */
export interface Trap {
  readonly from: Side;
  readonly matches: (
    frame: WireFrame,
    control: SeenControl | undefined,
    link: ChaosLink,
  ) => boolean;
  /** Runs once, before the frame is passed on; false drops the frame. */
  readonly spring: (link: ChaosLink, frame: WireFrame) => boolean;
}

/** What has gone through the proxy since it began. */
export interface Traffic {
  connections: number;
  /** Binary messages of agents. */
  messages: number;
  acks: number;
  /** Streams that agents asked to open, again after each reconnect. */
  openings: number;
  /** Streams that were told to begin a new epoch, by reason. */
  readonly resets: Map<string, number>;
}

/**
 * A TCP proxy between agents and a collector that does what networks do: it cuts, resets, stalls,
 * throttles, splits and damages, at a time or at a frame of the test's choice.
 */
export class ChaosProxy implements AsyncDisposable {
  readonly weather: Weather = { pieceBytes: undefined, bytesPerSecond: undefined };
  readonly traffic: Traffic = {
    connections: 0,
    messages: 0,
    acks: 0,
    openings: 0,
    resets: new Map(),
  };
  /** The collector's port; changes when it is restarted. */
  target: number;
  readonly #server: Server;
  readonly #links = new Set<ChaosLink>();
  readonly #traps = new Set<Trap>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
    server.on("connection", (agent) => this.#accept(agent));
  }

  static async start(target: number): Promise<ChaosProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new ChaosProxy(server, target);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  /** Where agents connect to. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The connections that are up, the oldest first. */
  get links(): readonly ChaosLink[] {
    return [...this.#links];
  }

  /** Resolves when the trap has sprung. */
  trap(trap: Trap): Promise<ChaosLink> {
    return new Promise((resolve) => {
      const set: Trap = {
        ...trap,
        spring: (link, frame) => {
          this.#traps.delete(set);
          const isPassed = trap.spring(link, frame);
          resolve(link);
          return isPassed;
        },
      };
      this.#traps.add(set);
    });
  }

  /** Resolves when the collector has sent this kind of message. */
  seen(type: string): Promise<ChaosLink> {
    return this.trap({
      from: "collector",
      matches: (_, control) => control?.type === type,
      spring: () => true,
    });
  }

  /** A connection over which frames may travel: one that is up, or the next one. */
  async liveLink(): Promise<ChaosLink> {
    return this.links.find(({ isLive }) => isLive) ?? (await this.seen("opened"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const link of this.#links) link.cut();
    await closed;
  }

  #accept(agent: Socket): void {
    this.traffic.connections += 1;
    const collector = createConnection({
      port: this.target,
      host: "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    const link = new ChaosLink(agent, collector, this.weather, (...seen) => this.#inspect(...seen));
    this.#links.add(link);
    let left = 2;
    for (const socket of [agent, collector]) {
      socket.once("close", () => {
        left -= 1;
        if (left === 0) this.#links.delete(link);
      });
    }
  }

  #inspect(from: Side, frame: WireFrame, link: ChaosLink): boolean {
    const control = controlOf(frame);
    this.#count(from, frame, control);
    let isPassed = true;
    for (const trap of this.#traps) {
      if (trap.from === from && trap.matches(frame, control, link)) {
        isPassed = trap.spring(link, frame) && isPassed;
      }
    }
    return isPassed;
  }

  #count(from: Side, frame: WireFrame, control: SeenControl | undefined): void {
    const { traffic } = this;
    if (from === "agent") {
      traffic.messages += frame.kind === "binary" ? 1 : 0;
      traffic.openings += control?.type === "open" ? (control.streams?.length ?? 0) : 0;
      return;
    }
    traffic.acks += control?.type === "ack" ? 1 : 0;
    for (const { reason = "" } of control?.type === "reset" ? (control.streams ?? []) : []) {
      traffic.resets.set(reason, (traffic.resets.get(reason) ?? 0) + 1);
    }
  }
}
