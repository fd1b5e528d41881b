import { EventEmitter, once } from "node:events";
import { get, type IncomingMessage, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { HTTP_STATUSES, LIMITS, SUBPROTOCOL } from "@sluice/protocol";
import type { Store } from "@sluice/store";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

import { FailedAttempts } from "../src/access/failed-attempts.ts";
import { AgentDirectory } from "../src/ingest/agent-directory.ts";
import { Ingest } from "../src/ingest/ingest.ts";
import { ConnectionGate } from "../src/server/connection-gate.ts";
import { createHttpServer, listen } from "../src/server/server.ts";
import { sharedAccess } from "./door.ts";

const GOOD = { authorization: "Bearer good" };

let server: Server;
let port: number;
let refusals: string[];
let sockets: Socket[];
let laterMs: number;

beforeEach(async () => {
  refusals = [];
  sockets = [];
  laterMs = 0;
  const gate = new ConnectionGate(
    (address, reason) => refusals.push(`${address}: ${reason}`),
    () => performance.now() + laterMs,
  );
  const app = new Hono();
  app.get("/v1/stats", (context) =>
    context.req.header("authorization") === GOOD.authorization
      ? context.text("known")
      : context.text("unknown", 401),
  );
  server = createHttpServer(app, gate);
  new Ingest({
    store: { disconnect: () => undefined } as unknown as Store,
    directory: new AgentDirectory(),
    connections: gate,
    access: sharedAccess(true),
    failures: new FailedAttempts(() => 0),
    wantsCertificate: false,
    onRefused: (address, reason) => refusals.push(`${address}: ${reason}`),
    onError: (error) => {
      throw error;
    },
  }).attach(server);
  ({ port } = await listen(server, { host: "127.0.0.1", port: 0 }));
});

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  server.close();
});

/** Connects and says nothing. */
async function stranger(localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress }).resume();
  socket.on("error", () => undefined); // how it ends is in its close
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

async function strangers(count: number, address: string): Promise<Socket[]> {
  const before = await connections();
  const all = await Promise.all(Array.from({ length: count }, () => stranger(address)));
  while ((await connections()) < before + count) await turn(); // accepted, too
  return all;
}

function connections(): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

async function status(headers: Record<string, string>, localAddress: string): Promise<number> {
  const request = get({
    port,
    host: "127.0.0.1",
    path: "/v1/stats",
    headers,
    localAddress,
    agent: false,
  });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

/** An agent's upgrade: its open socket, or the status that refused it. */
async function upgrade(headers: Record<string, string>, address: string): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/agent`, SUBPROTOCOL, {
    headers: { ...GOOD, ...headers },
    localAddress: address,
  });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(HTTP_STATUSES.switchingProtocols));
    socket.once("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
    socket.once("error", reject);
  });
}

describe("connections that have not shown a token", () => {
  const most = LIMITS.connectionsUnauthenticated;

  test("may be many for a moment, as when a fleet comes back", async () => {
    const fleet = await strangers(3 * most, "127.0.0.2");
    expect(await status(GOOD, "127.0.0.2")).toBe(200);
    expect(fleet.every(({ closed }) => !closed)).toBe(true);
    expect(refusals).toEqual([]);
  });

  test("are closed beyond their number once they have had their time, the oldest first", async () => {
    const [oldest, second, ...others] = await strangers(most + 2, "127.0.0.2");
    const gone = [once(oldest as Socket, "close"), once(second as Socket, "close")];
    laterMs = LIMITS.strangerGraceMs + 1_000;
    expect(await status(GOOD, "127.0.0.3")).toBe(200);
    await Promise.all(gone);
    expect(others.every(({ closed }) => !closed)).toBe(true);
    const refusal = "127.0.0.2: it held connections without showing a token";
    expect(refusals).toEqual([refusal, refusal]);
  });

  test("of an address that has many go before those of one that has few", async () => {
    const [first] = await strangers(1, "127.0.0.3");
    const crowd = await strangers(most, "127.0.0.2");
    laterMs = LIMITS.strangerGraceMs + 1_000;
    const gone = once(crowd[0] as Socket, "close");
    await stranger("127.0.0.4");
    await gone;
    expect(first?.closed).toBe(false);
  });

  test("do not count once they have shown one, and count while they are refused", async () => {
    for (let i = 0; i < most + 5; i++) {
      expect(await upgrade({}, "127.0.0.2")).toBe(HTTP_STATUSES.switchingProtocols);
    }
    const [oldest] = await strangers(most, "127.0.0.3");
    laterMs = LIMITS.strangerGraceMs + 1_000;
    expect(await status({}, "127.0.0.4")).toBe(401);
    expect(oldest?.closed).toBe(false);
    expect(refusals).toEqual([]);
  });
});

/** A socket for the gate alone. */
class Door extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  destroyed = false;

  constructor(remoteAddress: string, remotePort: number) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

test("no more strangers arrive at a time than there are places, unless another address has more", () => {
  const listener = new EventEmitter();
  const refused: string[] = [];
  const gate = new ConnectionGate(
    (address) => refused.push(address),
    () => 0,
  );
  gate.attach(listener as unknown as Server);
  const enter = (address: string, number: number): Door => {
    const door = new Door(address, number);
    listener.emit("connection", door);
    return door;
  };
  const crowd = Array.from({ length: LIMITS.connectionsArriving }, (_, i) => enter("10.0.0.1", i));
  expect(crowd.every(({ destroyed }) => !destroyed)).toBe(true);
  expect(enter("10.0.0.1", 99_999).destroyed).toBe(true);
  expect(enter("10.0.0.2", 1).destroyed).toBe(false);
  expect(crowd.map(({ destroyed }) => destroyed).indexOf(true)).toBe(0);
  expect(refused).toEqual(["10.0.0.1", "10.0.0.1"]);
});

test("an address has so many connections and no more, and is told so", async () => {
  for (let i = 0; i < LIMITS.connectionsPerIp; i++) {
    expect(await upgrade({}, "127.0.0.2")).toBe(HTTP_STATUSES.switchingProtocols);
  }
  expect(await upgrade({}, "127.0.0.2")).toBe(HTTP_STATUSES.unavailable);
  expect(await status(GOOD, "127.0.0.2")).toBe(HTTP_STATUSES.unavailable);
  expect(await status(GOOD, "127.0.0.3")).toBe(200);
}, 30_000);

describe("headers", () => {
  const numbered = (count: number, value: string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, value]));

  test.each([
    ["2,000 of them", numbered(2_000, "")],
    ["a few more than the limit", numbered(LIMITS.headersCount, "")],
    ["more bytes than the limit", numbered(2, "a".repeat(LIMITS.headersBytes / 2))],
    [
      "an Origin behind more than the limit",
      { ...numbered(40, ""), origin: "http://evil.example" },
    ],
  ])("%s are refused with 431, of an agent and of a client", async (_name, headers) => {
    const tooLarge = HTTP_STATUSES.headersTooLarge;
    expect(await upgrade(headers, "127.0.0.2")).toBe(tooLarge);
    expect(await status({ ...GOOD, ...headers }, "127.0.0.2")).toBe(tooLarge);
  });

  test("any Origin refuses an agent's upgrade with 403, with a good token too", async () => {
    for (const origin of ["http://evil.example", "http://127.0.0.1:7514", "null", ""]) {
      expect(await upgrade({ origin }, "127.0.0.2")).toBe(HTTP_STATUSES.originForbidden);
    }
  });
});
