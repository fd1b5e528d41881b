import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";

import { runCommand } from "../src/command.ts";
import { AgentHost } from "../src/enrol/agent-host.ts";
import { PRODUCT } from "../src/product.ts";
import { eventually } from "../src/eventually.ts";

const SECRET = "sle_canary0123456789abcdefghijklmnopqrstuvwx";
const WITHIN_MS = 10_000;

interface Asked {
  readonly url: string;
  /** Everything but the URL, which is what proxies and servers write into their logs. */
  readonly rest: string;
}

let dir: string;
let server: Server;
let asked: Asked[];
let url: string;

/** A collector that lets nobody in, and writes down what it is asked. */
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "sluice-url-"));
  asked = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ url: request.url ?? "", rest: JSON.stringify(request.headers) + body });
      response.writeHead(401).end();
    });
  });
  server.on("upgrade", (request, socket) => {
    asked.push({ url: request.url ?? "", rest: JSON.stringify(request.headers) });
    socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  rmSync(dir, { recursive: true });
});

function expectSecretOutsideOfUrls(): void {
  expect(asked.filter(({ rest }) => rest.includes(SECRET))).not.toEqual([]);
  expect(asked.filter(({ url: path }) => decodeURIComponent(path).includes("canary"))).toEqual([]);
}

test("an enrolment's token is in the body of its request, never in a URL", async () => {
  const host = new AgentHost({ dir, name: "web-1", collector: `ws://${url}` });
  expect((await host.enroll(SECRET)).code).not.toBe(0);
  expectSecretOutsideOfUrls();
});

test("an agent's key is in a header of its connection, never in a URL", async () => {
  await using host = new AgentHost({ dir, name: "web-1", collector: `ws://${url}` });
  writeFileSync(join(dir, "key"), `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(
    host.configFile,
    JSON.stringify({
      collector: `ws://${url}`,
      token_file: join(dir, "key"),
      state_dir: host.stateDir,
      sources: [{ file: host.logFile }],
    }),
  );
  host.run();
  await eventually(
    () => (asked.length > 0 ? true : undefined),
    WITHIN_MS,
    () => host.logText,
  );
  expectSecretOutsideOfUrls();
  expect(host.logText).not.toContain("canary");
});

test("a token of `sluice query` is in a header, never in a URL", async () => {
  writeFileSync(join(dir, "token"), `${SECRET}\n`, { mode: 0o600 });
  const flags = ["--collector", `http://${url}`, "--token-file", join(dir, "token")];
  const { code, stderr } = await runCommand([
    process.execPath,
    PRODUCT.collector,
    "query",
    "x",
    ...flags,
  ]);
  expect(code).toBe(2);
  expect(stderr).not.toContain("canary");
  expectSecretOutsideOfUrls();
});
