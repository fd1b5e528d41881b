import { once } from "node:events";
import { connect } from "node:net";
import { LIMITS } from "@sluice/protocol";
import { Hono } from "hono";
import { expect, test } from "vitest";

import { ConnectionGate } from "../src/server/connection-gate.ts";
import { createHttpServer, listen } from "../src/server/server.ts";

test("a peer that sends no request loses its place within seconds", async () => {
  const server = createHttpServer(new Hono(), new ConnectionGate(() => undefined));
  try {
    const { port } = await listen(server, { host: "127.0.0.1", port: 0 });
    const silent = connect(port, "127.0.0.1").resume();
    await once(silent, "connect");
    const connectedMs = performance.now();
    await once(silent, "close", { signal: AbortSignal.timeout(2 * LIMITS.handshakeTimeoutMs) });
    expect(performance.now() - connectedMs).toBeGreaterThan(LIMITS.handshakeTimeoutMs - 100);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}, 15_000);
