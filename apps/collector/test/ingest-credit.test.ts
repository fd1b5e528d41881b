import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeControl, LIMITS, SUBPROTOCOL } from "@sluice/protocol";
import type { Store } from "@sluice/store";
import { expect, test } from "vitest";
import { WebSocket } from "ws";

import { FailedAttempts } from "../src/access/failed-attempts.ts";
import { sharedAccess } from "./door.ts";
import { AgentDirectory } from "../src/ingest/agent-directory.ts";
import { Ingest } from "../src/ingest/ingest.ts";

const KiB = 1024;

/** An ingest that listens, and what its store was asked. */
async function stand() {
  const asked: string[] = [];
  const introduced = { agent: 1, unfinished: [] };
  const store: Partial<Store> = {
    storeId: "5f0c2b1e-0000-4000-8000-000000000000",
    introduce: () => Promise.resolve(introduced),
    append: (connection, message) => void asked.push(`${connection} append ${message.length}`),
    shed: (connection) => void asked.push(`${connection} shed`),
    disconnect: () => undefined,
  };
  const ingest = new Ingest({
    store: store as Store,
    directory: new AgentDirectory(),
    connections: { authenticated: () => undefined, isCrowded: () => false },
    access: sharedAccess(true),
    failures: new FailedAttempts(() => 0),
    wantsCertificate: false,
    onRefused: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  const server = createServer();
  ingest.attach(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { ingest, asked, port, [Symbol.dispose]: () => void server.close() };
}

/** An agent that has said hello; `next` is the next message that it gets. */
async function connect(port: number, agentId: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/agent`, SUBPROTOCOL);
  const next = async (): Promise<Record<string, unknown>> => {
    const [data] = (await once(socket, "message")) as [Buffer];
    return JSON.parse(data.toString()) as Record<string, unknown>;
  };
  await once(socket, "open");
  socket.send(
    encodeControl({
      type: "hello",
      protocol: 1,
      agentId,
      instance: "i-1",
      hostname: "web-1",
      version: "0.1.0",
      labels: {},
      clockUs: 0,
    }),
  );
  return { socket, next, welcome: await next(), [Symbol.dispose]: () => socket.terminate() };
}

const [FIRST, SECOND] = [
  "0197a1d2-0000-7000-8000-000000000001",
  "0197a1d2-0000-7000-8000-000000000002",
] as const;

test("a pause takes the credit of all agents, also of those that come during it, and gives it back", async () => {
  using site = await stand();
  using early = await connect(site.port, FIRST);
  expect(early.welcome).toMatchObject({ creditBytes: LIMITS.creditPerAgentBytes });
  const taken = early.next();
  const brake = site.ingest.brake();
  brake.pause();
  expect(await taken).toEqual({ type: "credit", bytes: 0 });
  using late = await connect(site.port, SECOND);
  expect(late.welcome).toMatchObject({ type: "welcome", creditBytes: 0 });
  const given = Promise.all([early.next(), late.next()]);
  brake.resume();
  const whole = { type: "credit", bytes: LIMITS.creditPerAgentBytes };
  expect(await given).toEqual([whole, whole]);
});

test("of what is on its way when a pause begins, large messages are sent back, and gaps are taken", async () => {
  using site = await stand();
  using agent = await connect(site.port, FIRST);
  const taken = agent.next();
  const brake = site.ingest.brake();
  brake.pause();
  await taken;
  agent.socket.send(Buffer.alloc(256 * KiB + 1));
  agent.socket.send(Buffer.alloc(256 * KiB + 2)); // the reset of the first is not stored yet
  agent.socket.send(Buffer.alloc(256 * KiB));
  agent.socket.ping();
  await once(agent.socket, "pong");
  expect(site.asked).toEqual(["1 shed", `1 append ${256 * KiB}`]);
});

test("what the store has dropped counts neither against its sender nor against all", async () => {
  using site = await stand();
  using agent = await connect(site.port, FIRST);
  const bytes = 3 * 1024 * KiB;
  // More than an agent may have waiting, if the dropped ones still counted.
  for (let sent = 0; sent < 8; sent++) {
    agent.socket.send(Buffer.alloc(bytes));
    agent.socket.ping();
    await once(agent.socket, "pong");
    site.ingest.dropped(new Map([[1, bytes]]));
  }
  expect(site.asked).toHaveLength(8);
  expect(agent.socket.readyState).toBe(WebSocket.OPEN);
});

test("what all agents have waiting is bounded: beyond it a message is dropped, and its streams go back", async () => {
  using site = await stand();
  const messageBytes = 4 * 1024 * KiB;
  const perAgent = 3; // as much as one may have waiting
  const agents = Math.ceil(LIMITS.creditTotalBytes / (messageBytes * perAgent));
  const connected: Array<Awaited<ReturnType<typeof connect>>> = [];
  for (let i = 0; i < agents; i++) {
    const agent = await connect(
      site.port,
      `0197a1d2-0000-7000-8000-${String(i).padStart(12, "0")}`,
    );
    connected.push(agent);
    for (let sent = 0; sent < perAgent; sent++) agent.socket.send(Buffer.alloc(messageBytes));
    agent.socket.ping();
    await once(agent.socket, "pong");
  }
  const taken = site.asked.filter((what) => what.includes("append")).length * messageBytes;
  expect(taken).toBe(LIMITS.creditTotalBytes);
  expect(site.asked.at(-1)).toMatch(/shed$/);
  for (const { socket } of connected) socket.terminate();
}, 30_000);
