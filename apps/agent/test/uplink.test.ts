import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AgentSession, encodeControl, LIMITS } from "@sluice/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

import { type Disconnection, Uplink } from "../src/uplink.ts";

const MINUTE_MS = 60_000;
/** Of virtual time: shorter than anything that is measured in it. */
const STEP_MS = 2_500;
/** Both ends are in this process: a message takes a turn or two of its loop. */
const TURNS = 12;

/** A collector that welcomes whoever comes. */
class Greeter implements AsyncDisposable {
  readonly server: WebSocketServer;
  readonly connections: WebSocket[] = [];
  readonly messages: string[] = [];
  pings = 0;

  private constructor(autoPong: boolean) {
    this.server = new WebSocketServer({ host: "127.0.0.1", port: 0, autoPong });
    this.server.on("connection", (socket) => {
      this.connections.push(socket);
      socket.on("error", () => undefined);
      socket.on("ping", () => (this.pings += 1));
      socket.on("message", (data, isBinary) => {
        if (isBinary) {
          this.messages.push((data as Buffer).toString("latin1"));
          return;
        }
        socket.send(
          encodeControl({
            type: "welcome",
            storeId: "00000000-0000-4000-8000-00000000000a",
            creditBytes: LIMITS.creditPerAgentBytes,
            limits: LIMITS,
            clockUs: 0,
            streams: [],
            more: false,
          }),
        );
      });
    });
  }

  static async start(autoPong = true): Promise<Greeter> {
    const greeter = new Greeter(autoPong);
    await once(greeter.server, "listening");
    return greeter;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.connections) socket.terminate();
    const closed = once(this.server, "close");
    this.server.close();
    await closed;
  }
}

const lost: Disconnection[] = [];
let session: AgentSession;

beforeEach(() => {
  lost.length = 0;
  session = new AgentSession({
    agentId: "00000000-0000-4000-8000-000000000001",
    instance: "i",
    hostname: "h",
    version: "1",
    labels: {},
  });
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function uplinkTo(...urls: readonly string[]): Uplink {
  return new Uplink({
    target: {
      urls,
      token: () => Promise.resolve("t"),
      tls: () => Promise.resolve({}),
      caFile: undefined,
      failbackMs: undefined,
    },
    session,
    random: () => 0.5,
    events: {
      effect: () => undefined,
      connected: () => undefined,
      disconnected: (disconnection) => lost.push(disconnection),
    },
  });
}

async function pass(virtualMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < virtualMs; passedMs += STEP_MS) {
    await vi.advanceTimersByTimeAsync(STEP_MS);
    for (let turn = 0; turn < TURNS; turn++) await nextTurn();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn();
}

describe("the connection to a collector", () => {
  it("is kept busy through ten idle minutes, and data then takes the same one", async () => {
    await using greeter = await Greeter.start();
    await using uplink = uplinkTo(greeter.url);
    uplink.start();
    await until(() => session.phase === "live");
    for (let minute = 0; minute < 10; minute++) {
      const before = greeter.pings;
      await pass(MINUTE_MS);
      // No middlebox that forgets what is silent for half a minute forgets it.
      expect(greeter.pings - before).toBeGreaterThanOrEqual(2);
    }
    uplink.sendFrames(Buffer.from("after ten minutes"));
    await until(() => greeter.messages.length > 0);
    expect(greeter.messages).toEqual(["after ten minutes"]);
    expect(greeter.connections).toHaveLength(1);
    expect(lost).toEqual([]);
  });

  it("is given up and replaced within a minute when the other side is silent", async () => {
    await using greeter = await Greeter.start(false);
    await using uplink = uplinkTo(greeter.url);
    uplink.start();
    await until(() => session.phase === "live");
    await pass(MINUTE_MS);
    expect(lost).toHaveLength(1);
    expect(greeter.connections.length).toBe(2);
  });

  it("goes to the next collector of the list when an attempt fails, and stays with what works", async () => {
    await using gone = await Greeter.start();
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await using greeter = await Greeter.start();
    await using uplink = uplinkTo(url, greeter.url);
    uplink.start();
    await until(() => lost.length > 0);
    expect(lost[0]?.collector).toBe(url);
    await pass(STEP_MS);
    await until(() => session.phase === "live");
    greeter.connections[0]?.terminate();
    await until(() => lost.length > 1);
    await pass(STEP_MS);
    await until(() => session.phase === "live");
    expect(greeter.connections).toHaveLength(2);
  });

  it("that was suspended is not heard any more, and the next one begins at the first collector", async () => {
    await using greeter = await Greeter.start();
    await using uplink = uplinkTo(greeter.url);
    uplink.start();
    await until(() => session.phase === "live");
    uplink.suspend();
    expect(session.phase).toBe("down");
    uplink.sendFrames(Buffer.from("nobody hears this"));
    await using other = await Greeter.start();
    uplink.resume({
      urls: [other.url, greeter.url],
      token: () => Promise.resolve("t"),
      tls: () => Promise.resolve({}),
      caFile: undefined,
      failbackMs: undefined,
    });
    await until(() => session.phase === "live");
    expect(other.connections).toHaveLength(1);
    expect(greeter.messages).toEqual([]);
    expect(lost).toEqual([]);
  });
});
