import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Failure } from "@sluice/service";
import { SearchError, type SearchRequest } from "@sluice/store";
import { afterEach, describe, expect, test } from "vitest";

import { doorFor } from "./door.ts";
import { createApi } from "../src/api/api.ts";
import { CollectorClient } from "../src/client/api-client.ts";
import { LinkFailure } from "../src/client/api-link.ts";
import { ArrivalFeed, type FollowEvent } from "../src/api/follow.ts";
import { FakeReader, type Script, SUMMARY } from "./fake-reader.ts";

const REQUEST: SearchRequest = { query: "x", order: "time", reverse: false, deadlineMs: 1000 };
const NEVER = new AbortController().signal;

let server: Server | undefined;

afterEach(async () => {
  const closing = server;
  server = undefined;
  if (closing !== undefined) {
    closing.closeAllConnections();
    closing.close();
    await once(closing, "close");
  }
});

async function listen(
  listener: RequestListener,
  token = "good",
  silenceMs?: number,
): Promise<CollectorClient> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}`);
  return new CollectorClient(url, { value: token, origin: "a test" }, undefined, silenceMs);
}

async function serve(
  script: Script,
  token?: string,
): Promise<{ client: CollectorClient; fake: FakeReader; arrivals: ArrivalFeed }> {
  const fake = new FakeReader(script);
  const arrivals = new ArrivalFeed();
  const ignore = (): void => undefined;
  const app = createApi({
    reader: () => fake.reader,
    arrivals,
    door: doorFor("query"),
    events: { searchBegan: ignore, searchEnded: ignore, failed: ignore },
  });
  const answer = getRequestListener(app.fetch);
  return {
    fake,
    arrivals,
    client: await listen((incoming, outgoing) => void answer(incoming, outgoing), token),
  };
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) {
    text += Buffer.from(chunk).toString("latin1");
  }
  return text;
}

describe("a search over the API", () => {
  test.each(["too-much", "page-expired", "deadline"] as const)(
    "fails with %s as in the store, whether an answer has begun or not",
    async (code) => {
      for (const before of [[], ["a\n"]]) {
        const { client } = await serve(async function* () {
          yield* before;
          throw new SearchError(code, "so it is");
        });
        await expect(read(client.search(REQUEST, NEVER))).rejects.toMatchObject({
          name: "SearchError",
          code,
          message: "so it is",
        });
      }
    },
  );

  test.each(["rows", "bodies"] as const)(
    "gives the %s and the summary of the store",
    async (render) => {
      const { client, fake } = await serve(async function* () {
        yield "a\n".repeat(100_000);
        yield "b\n";
      });
      const page = "TOKEN";
      const where = { fromUs: 1_500_000, untilUs: 2_500_001, limit: 9, page };
      const request = { ...REQUEST, ...where, render, maxReadBytes: 1_234_567, isLast: true };
      const run = client.search(request, NEVER);
      expect(await read(run)).toBe(`${"a\n".repeat(100_000)}b\n`);
      expect(await run.summary).toEqual({ ...SUMMARY, rows: 2 });
      expect(fake.requests).toEqual([{ ...request, afterId: undefined }]);
    },
  );

  test("that is given up ends in the collector too", async () => {
    const { client, fake } = await serve(async function* (_, signal) {
      yield "a\n";
      await once(signal, "abort");
    });
    const interrupted = new AbortController();
    const run = client.search(REQUEST, interrupted.signal);
    const reading = read(run);
    while (fake.signals.length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [signal] = fake.signals;
    const ended = signal?.aborted === true ? undefined : once(signal as AbortSignal, "abort");
    interrupted.abort();
    await expect(reading).rejects.toMatchObject({ code: "cancelled" });
    await expect(run.summary).rejects.toMatchObject({ code: "cancelled" });
    await ended;
  });

  test("that fails on its way fails with the store's own error", async () => {
    const { client } = await serve(async function* () {
      yield "a\n";
      throw new SearchError("query-invalid", "no such stage", {
        message: "no such stage",
        column: 3,
        length: 2,
        hint: "write stats",
      });
    });
    await expect(read(client.search(REQUEST, NEVER))).rejects.toMatchObject({
      name: "SearchError",
      code: "query-invalid",
      query: { column: 3, length: 2, hint: "write stats" },
    });
  });
});

test("a live view over the API gives rows and cursors, and fails as a link when it is cut", async () => {
  const { client, fake, arrivals } = await serve(async function* () {
    yield '{"time":"now"}\n';
  });
  const events: FollowEvent[] = [];
  const following = (async () => {
    for await (const event of client.follow("x", undefined, NEVER)) {
      events.push(event);
      if (events.length === 1) {
        fake.highWater = 3;
        arrivals.committed();
      } else if (events.length === 3) {
        server?.closeAllConnections();
      }
    }
  })();
  await expect(following).rejects.toBeInstanceOf(LinkFailure);
  expect(events).toEqual([
    { kind: "cursor", cursor: 0, behind: 0 },
    { kind: "rows", bytes: Buffer.from('{"time":"now"}\n') },
    { kind: "cursor", cursor: 3, behind: 0 },
  ]);
});

describe("silence", () => {
  // More than a busy machine takes to connect, or the test would see a silence of its own making.
  const SILENCE_MS = 400;

  test("of a link that hangs ends the search", async () => {
    const client = await listen(
      (_, response) => {
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        response.write('{"a":1}\n');
      },
      "good",
      SILENCE_MS,
    );
    await expect(read(client.search(REQUEST, NEVER))).rejects.toThrow("silent for too long");
  });

  test("of our own reader, who may be looking at a page, does not", async () => {
    const row = `{"a":"${"x".repeat(100_000)}"}\n`;
    const client = await listen(
      (_, response) => {
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        response.end(`${row.repeat(20)}${JSON.stringify({ end: SUMMARY })}\n`);
      },
      "good",
      SILENCE_MS,
    );
    let bytes = 0;
    for await (const chunk of client.search(REQUEST, NEVER)) {
      if (bytes === 0) {
        await new Promise((resolve) => setTimeout(resolve, 4 * SILENCE_MS));
      }
      bytes += chunk.length;
    }
    expect(bytes).toBe(20 * row.length);
  });
});

describe("what a person is told", () => {
  test.each<[string, RequestListener, string]>([
    [
      "a page of something else",
      (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      "is not a Sluice collector",
    ],
    [
      "another server's error",
      (_, response) => response.writeHead(404).end("no"),
      "is not a Sluice collector",
    ],
    [
      "a collector that is not ready",
      (_, response) => {
        const error = { code: "not-ready", message: "the store is not open", advice: "wait" };
        response.writeHead(503).end(JSON.stringify(error));
      },
      "the store is not open",
    ],
    ["a connection that is dropped", (request) => request.destroy(), "was cut"],
    [
      "an answer that ends in the middle",
      (_, response) => {
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        response.write('{"time":"x"}\n');
        response.end('{"time":');
      },
      "cut off before its end",
    ],
  ])("of %s", async (_, listener, message) => {
    const client = await listen(listener);
    await expect(read(client.search(REQUEST, NEVER))).rejects.toThrow(message);
  });

  test("of a token that is wrong, where it came from", async () => {
    const { client } = await serve(async function* () {
      yield "";
    }, "bad");
    await expect(read(client.search(REQUEST, NEVER))).rejects.toMatchObject({
      message: expect.stringContaining(
        "does not take the token from a test: the token is not known here",
      ) as string,
      advice: "send a good one",
    } satisfies Partial<Failure>);
  });

  test("of a port where nobody listens", async () => {
    const client = new CollectorClient(new URL("http://127.0.0.1:1"), undefined);
    await expect(client.getJson("v1/agents")).rejects.toThrow("no collector answers at");
  });
});
