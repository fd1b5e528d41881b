import { setImmediate as turn } from "node:timers/promises";
import { SearchError } from "@sluice/store";
import type { Hono } from "hono";
import { describe, expect, test } from "vitest";

import { doorFor } from "./door.ts";
import { createApi } from "../src/api/api.ts";
import { ArrivalFeed } from "../src/api/follow.ts";
import { FakeReader, type Script } from "./fake-reader.ts";

const AUTHORIZED = { headers: { authorization: "Bearer good" } };

interface Served {
  readonly app: Hono;
  readonly fake: FakeReader;
  readonly arrivals: ArrivalFeed;
  readonly failures: unknown[];
  /** Searches begun, less those that ended. */
  readonly running: () => number;
}

function serve(script: Script = async function* () {}, isOpen = true): Served {
  const fake = new FakeReader(script);
  const arrivals = new ArrivalFeed();
  const failures: unknown[] = [];
  let running = 0;
  const app = createApi({
    reader: () => (isOpen ? fake.reader : undefined),
    arrivals,
    door: doorFor("query"),
    events: {
      searchBegan: () => (running += 1),
      searchEnded: () => (running -= 1),
      failed: (error) => failures.push(error),
    },
  });
  return { app, fake, arrivals, failures, running: () => running };
}

async function lines(response: Response): Promise<unknown[]> {
  const text = await response.text();
  return text
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return Buffer.from(value ?? []).toString();
}

describe("a query", () => {
  test("streams rows and ends with a summary", async () => {
    const { app, fake, running } = serve(async function* () {
      yield '{"a":1}\n{"a":2}\n';
      yield '{"a":3}\n';
    });
    const response = await app.request("/v1/query?q=x&all=1", AUTHORIZED);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(await lines(response)).toMatchObject([
      { a: 1 },
      { a: 2 },
      { a: 3 },
      { end: { rows: 2 } },
    ]);
    expect(fake.requests).toMatchObject([{ query: "x", order: "time", reverse: false }]);
    expect(fake.requests[0]?.limit).toBeUndefined();
    expect(running()).toBe(0);
  });

  test("hands its parameters to the search", async () => {
    const { app, fake } = serve();
    const parameters =
      "q=a&since=2026-11-24T08:00:00Z&until=%401795593600.5&n=7&order=stream&reverse=1&after=3-9&deadline=2s";
    await app.request(`/v1/query?${parameters}`, AUTHORIZED);
    expect(fake.requests).toEqual([
      {
        query: "a",
        fromUs: Date.UTC(2026, 10, 24, 8) * 1000,
        untilUs: 1_795_593_600_500_000,
        limit: 7,
        order: "stream",
        reverse: true,
        afterId: "3-9",
        render: "rows",
        deadlineMs: 2000,
      },
    ]);
  });

  test.each([
    ["an unknown parameter", "sinse=1h"],
    ["a time that is none", "since=soon"],
    ["a number that is none", "n=-1"],
    ["an order that is none", "order=size"],
    ["an id that is none", "after=x"],
    ["a deadline that is none", "deadline=later"],
    ["a size that is none", "maxRead=much"],
    ["two places to go on from", "after=3-9&page=x"],
  ])("is refused for %s", async (_, parameter) => {
    const { app, fake } = serve();
    const response = await app.request(`/v1/query?${parameter}`, AUTHORIZED);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "parameter-invalid",
      message: expect.stringContaining(parameter.split("=")[0] ?? "") as string,
    });
    expect(fake.requests).toEqual([]);
  });

  test("that does not parse is refused with its place", async () => {
    const response = await serve().app.request("/v1/query?q=a%20(b", AUTHORIZED);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "query-invalid", column: 3, length: 1 });
  });

  test("goes on with the page that a summary named, and reads no more than it may", async () => {
    const { app, fake } = serve();
    await app.request("/v1/query?page=TOKEN&maxRead=10MB", AUTHORIZED);
    expect(fake.requests).toMatchObject([{ page: "TOKEN", maxReadBytes: 10_000_000 }]);
  });

  test.each([
    ["request-invalid", 400],
    ["page-expired", 410],
    ["too-much", 413],
    ["deadline", 504],
    ["failed", 500],
  ] as const)("that fails with %s before its first row has the status %i", async (code, status) => {
    // oxlint-disable-next-line require-yield -- it fails before it finds anything
    const { app, failures, running } = serve(async function* () {
      throw new SearchError(code, "so it is");
    });
    const response = await app.request("/v1/query", AUTHORIZED);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, message: "so it is" });
    expect({ failures, running: running() }).toEqual({ failures: [], running: 0 });
  });

  test("that takes its time begins its answer all the same", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { app } = serve(async function* () {
      yield await promise;
    });
    const response = await app.request("/v1/query", AUTHORIZED);
    resolve("{}\n");
    expect(await lines(response)).toMatchObject([{}, { end: { rows: 1 } }]);
  });

  test("that fails on its way ends with an error line", async () => {
    const { app, failures } = serve(async function* () {
      yield '{"a":1}\n';
      throw new SearchError("deadline", "it took too long");
    });
    const [row, last] = await lines(await app.request("/v1/query", AUTHORIZED));
    expect(row).toEqual({ a: 1 });
    expect(last).toMatchObject({ error: { code: "deadline", message: "it took too long" } });
    expect(failures).toEqual([]);
  });

  test("tells a client nothing of a fault of our own, and reports it", async () => {
    const fault = new TypeError("secret");
    const { app, failures } = serve(async function* () {
      yield "{}\n";
      throw fault;
    });
    const [, last] = await lines(await app.request("/v1/query", AUTHORIZED));
    expect(last).toMatchObject({ error: { code: "internal" } });
    expect(JSON.stringify(last)).not.toContain("secret");
    expect(failures).toEqual([fault]);
  });

  test("is pulled by its client, never ahead of it by more than a chunk", async () => {
    let made = 0;
    const { app } = serve(async function* () {
      for (;;) {
        made += 1;
        yield `{"n":${made}}\n`;
      }
    });
    const { body } = await app.request("/v1/query", AUTHORIZED);
    const reader = body?.getReader();
    await reader?.read();
    await reader?.read();
    await turn();
    expect(made).toBeLessThanOrEqual(3);
    await reader?.cancel();
  });

  test("whose client goes away is ended", async () => {
    const { app, fake, running } = serve(async function* (_, signal) {
      yield "{}\n";
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    const { body } = await app.request("/v1/query", AUTHORIZED);
    const reader = body?.getReader();
    await reader?.read();
    expect(running()).toBe(1);
    await reader?.cancel();
    expect(fake.signals[0]?.aborted).toBe(true);
    expect(running()).toBe(0);
  });

  test("for bodies says how many bytes follow", async () => {
    const { app } = serve(async function* () {
      yield Uint8Array.of(0xff, 0x0a);
    });
    const response = await app.request("/v1/query?render=bodies", AUTHORIZED);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 15)).toEqual(Buffer.from('{"bodies":2}\n\xff\n', "latin1"));
  });

  test("is asked to come back while others fill the house", async () => {
    const { app } = serve(async function* () {
      yield "{}\n";
    });
    const open: Response[] = [];
    for (let i = 0; i < 64; i++) {
      open.push(await app.request("/v1/query", AUTHORIZED));
    }
    const refused = await app.request("/v1/query", AUTHORIZED);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    for (const { body } of open) {
      await body?.cancel();
    }
    expect((await app.request("/v1/query", AUTHORIZED)).status).toBe(200);
  });
});

describe("a live view", () => {
  const echo: Script = async function* ({ arrived }) {
    yield `{"arrived":"${arrived?.after}-${arrived?.upTo}"}\n`;
  };

  test("begins with its cursor and gives what is committed from then on", async () => {
    const { app, fake, arrivals } = serve(echo);
    fake.highWater = 5;
    const { body } = await app.request("/v1/tail?q=x", AUTHORIZED);
    const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    expect(await readText(reader)).toBe('{"cursor":5,"behind":0}\n');
    const next = readText(reader);
    fake.highWater = 7;
    arrivals.committed();
    expect(await next).toBe('{"arrived":"5-7"}\n');
    expect(await readText(reader)).toBe('{"cursor":7,"behind":0}\n');
    await reader.cancel();
    expect(fake.signals[0]?.aborted).toBe(true);
  });

  test("goes on from a cursor and says how far behind it is", async () => {
    const { app, fake } = serve(echo);
    fake.highWater = 100;
    const { body } = await app.request("/v1/tail?from=10", AUTHORIZED);
    const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    expect(await readText(reader)).toBe('{"cursor":10,"behind":90}\n');
    expect(await readText(reader)).toBe('{"arrived":"10-42"}\n');
    expect(await readText(reader)).toBe('{"cursor":42,"behind":58}\n');
    await reader.cancel();
  });

  test("that reads slowly searches nothing more until it has read", async () => {
    const { app, fake, arrivals } = serve(echo);
    const { body } = await app.request("/v1/tail", AUTHORIZED);
    const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    await readText(reader);
    for (let commit = 1; commit <= 50; commit++) {
      fake.highWater = commit;
      arrivals.committed();
      await turn();
    }
    expect(fake.requests.length).toBeLessThanOrEqual(1);
    await reader.cancel();
  });

  test.each([
    ["a cursor of another store", "from=6", 410, "cursor-unknown"],
    ["a stage that needs an end", "q=*%20%7C%20stats%20count()", 400, "stage-needs-end"],
    ["a filter that does not parse", "q=(", 400, "query-invalid"],
  ])("is refused with %s", async (_, parameters, status, code) => {
    const { app, fake } = serve(echo);
    fake.highWater = 5;
    const response = await app.request(`/v1/tail?${parameters}`, AUTHORIZED);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });
});

describe("the door", () => {
  test.each(["/v1/query", "/v1/tail", "/v1/anything"])(
    "asks for the query token at %s",
    async (path) => {
      const { app, fake } = serve();
      for (const headers of [{}, { authorization: "Bearer bad" }]) {
        const response = await app.request(path, { headers });
        expect(response.status).toBe(401);
        expect(await response.json()).toMatchObject({ code: "unauthenticated" });
      }
      expect(fake.requests).toEqual([]);
    },
  );

  test("refuses a request that changes something and comes from a page", async () => {
    const response = await serve().app.request("/v1/prune", {
      method: "POST",
      headers: { ...AUTHORIZED.headers, origin: "https://evil.example" },
    });
    expect(response.status).toBe(403);
  });

  test("says that nothing is there in JSON", async () => {
    const response = await serve().app.request("/v1/nothing", AUTHORIZED);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "not-found" });
  });

  test("is healthy at once and ready once the store is open", async () => {
    const closed = serve(undefined, false).app;
    expect((await closed.request("/healthz")).status).toBe(200);
    expect((await closed.request("/readyz")).status).toBe(503);
    expect((await closed.request("/v1/query", AUTHORIZED)).status).toBe(503);
    expect((await serve().app.request("/readyz")).status).toBe(200);
  });
});
