import { IncomingMessage, Server } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Store } from "@sluice/store";
import { expect, test } from "vitest";

import { FailedAttempts } from "../src/access/failed-attempts.ts";
import { sharedAccess } from "./door.ts";
import { AgentDirectory } from "../src/ingest/agent-directory.ts";
import { Ingest } from "../src/ingest/ingest.ts";

/** An upgrade by a peer without a token, on a connection that takes or resets what is written to it. */
function upgrade(
  url: string,
  write: (done: (error?: Error) => void) => void,
  headers: IncomingMessage["headers"] = {},
): Promise<string> {
  const server = new Server();
  let refusal = "";
  new Ingest({
    store: {} as Store,
    directory: new AgentDirectory(),
    connections: { authenticated: () => undefined, isCrowded: () => false },
    access: sharedAccess(false),
    failures: new FailedAttempts(() => 0),
    wantsCertificate: false,
    onRefused: (_address, reason) => (refusal = reason),
    onError: (error) => {
      throw error;
    },
  }).attach(server);
  const request = new IncomingMessage(new Socket());
  request.url = url;
  Object.assign(request.headers, headers);
  const socket = new Duplex({
    read: () => undefined,
    write: (_bytes, _encoding, done) => write(done),
  });
  return new Promise((resolve) => {
    socket.once("close", () => resolve(refusal));
    server.emit("upgrade", request, socket, Buffer.alloc(0));
  });
}

test.each(["//", "http://[", "/other"])("an upgrade at %s is refused", async (url) => {
  expect(await upgrade(url, (done) => done())).toBe("no upgrade is served at this path");
});

test("a peer that resets its connection while it is refused does no harm", async () => {
  const reset = Object.assign(new Error("write ECONNRESET"), { code: "ECONNRESET" });
  expect(await upgrade("/v1/agent", (done) => done(reset))).toBe("the token is not known here");
});

test.each(["https://logs.example.net", "http://127.0.0.1:7514", "null", ""])(
  "an upgrade with the Origin %j is refused, whoever sends it",
  async (origin) => {
    const reason = await upgrade("/v1/agent", (done) => done(), { origin });
    expect(reason).toBe("an Origin header is not an agent's");
  },
);
