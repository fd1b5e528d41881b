import { once } from "node:events";
import { get, type IncomingMessage, type Server } from "node:http";
import { connect, type Socket } from "node:net";
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

beforeEach(async () => {
  refusals = [];
  sockets = [];
  const gate = new ConnectionGate((address, reason) => refusals.push(`${address}: ${reason}`));
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

function strangers(count: number, address: string): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, () => stranger(address)));
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

  test("are closed beyond their number where all are of one address", async () => {
    const first = await strangers(most, "127.0.0.2");
    const last = await stranger("127.0.0.2");
    if (!last.closed) await once(last, "close");
    expect(first.every(({ closed }) => !closed)).toBe(true);
    expect(refusals).toEqual(["127.0.0.2: too many connections that have not shown a token"]);
  });

  test("of an address that has them all make room for another, the oldest first", async () => {
    const [oldest, ...others] = await strangers(most, "127.0.0.2");
    const gone = once(oldest as Socket, "close");
    expect(await status(GOOD, "127.0.0.3")).toBe(200);
    await gone;
    expect(others.every(({ closed }) => !closed)).toBe(true);
    expect(refusals).toEqual(["127.0.0.2: it held connections without showing a token"]);
  });

  test("do not count once they have shown one, and count while they are refused", async () => {
    for (let i = 0; i < most + 5; i++) {
      expect(await upgrade({}, "127.0.0.2")).toBe(HTTP_STATUSES.switchingProtocols);
    }
    await strangers(most - 1, "127.0.0.3");
    expect(await status({}, "127.0.0.3")).toBe(401);
    expect(refusals).toEqual([]);
  });
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
