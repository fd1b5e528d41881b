import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { renderStatus } from "../../src/metrics/agent-metrics.ts";
import { MetricsServer } from "../../src/metrics/metrics-server.ts";
import { statusOf, streamOf } from "../status/status-of.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };

let served: string[];
let warnings: number;
let server: MetricsServer;

beforeEach(() => {
  served = [];
  warnings = 0;
  const log = {
    info: ({ listen }: { listen: string }) => served.push(listen),
    warn: () => (warnings += 1),
  };
  server = new MetricsServer(() => statusOf({ gaps: 3 }), log as never);
});

afterEach(() => server[Symbol.asyncDispose]());

describe("metrics", () => {
  it("are one series a source, whatever its name, over all its streams", () => {
    const text = renderStatus(
      statusOf({
        streams: [
          streamOf({ source: '/a"\\', lagBytes: 5, lagMs: 1_000 }),
          streamOf({ source: '/a"\\', generation: 2, lagBytes: 7, lagMs: 500 }),
        ],
      }),
    );
    expect(text).toContain('sluice_agent_lag_bytes{source="/a\\"\\\\"} 12\n');
    expect(text).toContain('sluice_agent_lag_seconds{source="/a\\"\\\\"} 1\n');
    expect(text).toContain("sluice_agent_connected 0\n");
  });

  it.each([
    ["/metrics", 200, "sluice_agent_gaps_total 3\n"],
    ["/metrics?x=1", 200, "sluice_agent_gaps_total 3\n"],
    ["/healthz", 200, "ok\n"],
    ["/", 404, ""],
  ])("are served with what a monitor asks: %s is %d", async (path, status, text) => {
    await server.listen(LOOPBACK);
    const response = await fetch(`http://${served[0]}${path}`);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(text);
  });

  it("are read, not written", async () => {
    await server.listen(LOOPBACK);
    const response = await fetch(`http://${served[0]}/metrics`, { method: "POST" });
    expect(response.status).toBe(405);
  });

  it("move to another address, stay where it is the same, and are gone where there is none", async () => {
    await server.listen(LOOPBACK);
    await server.listen(LOOPBACK);
    expect(served).toHaveLength(1);
    await server.listen({ host: "localhost", port: 0 });
    expect(served).toHaveLength(2);
    await expect(fetch(`http://${served[0]}/healthz`)).rejects.toThrow();
    await server.listen(undefined);
    await expect(fetch(`http://${served[1]}/healthz`)).rejects.toThrow();
  });

  it("that cannot be served are a warning, not the end of the agent", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await server.listen({ host: "127.0.0.1", port });
    expect({ warnings, served }).toEqual({ warnings: 1, served: [] });
    other.close();
  });
});
