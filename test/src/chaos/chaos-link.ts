import type { Socket } from "node:net";

import { ChaosLane, type Weather } from "./chaos-lane.ts";
import { controlOf, type WireFrame } from "./wire-frame.ts";

export type Side = "agent" | "collector";

/** Decides about each frame as it arrives: whether it is passed on. */
export type Inspect = (from: Side, frame: WireFrame, link: ChaosLink) => boolean;

/** One connection of an agent through the proxy. */
export class ChaosLink {
  /** From the agent to the collector. */
  readonly up: ChaosLane;
  /** From the collector to the agent. */
  readonly down: ChaosLane;
  /** Streams that the agent has asked to open on this connection. */
  openings = 0;
  /** Bytes of frames that arrived from the agent since the collector's last ack. */
  unackedBytes = 0;
  /** The collector has answered an `open`: frames may travel. */
  isLive = false;
  /** Resolves when one of the two sides is gone. */
  readonly closed: Promise<void>;
  readonly #sockets: readonly [Socket, Socket];

  constructor(agent: Socket, collector: Socket, weather: Weather, inspect: Inspect) {
    this.#sockets = [agent, collector];
    this.closed = new Promise((resolve) => {
      for (const socket of this.#sockets) {
        socket.once("end", resolve).once("close", resolve);
      }
    });
    void this.closed.then(() => (this.isLive = false));
    this.up = new ChaosLane(agent, collector, weather, (frame) => {
      const control = controlOf(frame);
      if (control?.type === "open") this.openings += control.streams?.length ?? 0;
      this.unackedBytes += frame.kind === "binary" ? frame.bytes.length : 0;
      return inspect("agent", frame, this);
    });
    this.down = new ChaosLane(collector, agent, weather, (frame) => {
      const isPassed = inspect("collector", frame, this);
      const type = controlOf(frame)?.type;
      if (type === "ack") this.unackedBytes = 0;
      if (type === "opened") this.isLive = true;
      return isPassed;
    });
  }

  /** Ends both sides in good order. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** RST on both sides: what was on its way is lost. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Half-open from now on: both sides stay connected and hear nothing more. */
  blackhole(): void {
    this.up.swallow();
    this.down.swallow();
  }
}
