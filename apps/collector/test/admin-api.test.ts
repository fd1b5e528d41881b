import { Failure } from "@sluice/service";
import type { Hono } from "hono";
import { expect, test, vi } from "vitest";

import { doorFor } from "./door.ts";
import { adminApi } from "../src/api/admin-api.ts";
import { shared } from "../src/api/request-limits.ts";
import { AgentDirectory } from "../src/ingest/agent-directory.ts";
import { ClockWatch } from "../src/retention/clock-watch.ts";
import { compactNow } from "../src/compaction/compact-report.ts";
import { DeletionDesk } from "../src/deletion/deletion-desk.ts";
import { CollectorSource } from "../src/client/collector-source.ts";
import { CollectorMetrics } from "../src/server/metrics.ts";
import { decideRetention } from "../src/retention/retention-decision.ts";
import { RetentionJob } from "../src/retention/retention-job.ts";
import { BACKUP, SOUND } from "./sound-store.ts";
import { batch, FakeClocks, FakeStore, NOW_US, policy, stream } from "./fake-store.ts";

const AUTHORIZED = { authorization: "Bearer good" };

async function apiOn(
  store: FakeStore,
): Promise<{ app: Hono; failures: unknown[]; clocks: FakeClocks }> {
  const { reader, dataDir } = store.add();
  const clocks = new FakeClocks();
  const watch = await ClockWatch.start(dataDir, NOW_US, clocks);
  const ignore = (): void => undefined;
  const retention = new RetentionJob({
    store,
    decide: (question) => decideRetention(reader, question),
    dataDir,
    policy: policy({ keep: "30d" }),
    watch,
    events: { pruned: ignore, suspended: ignore, failed: ignore },
    clocks,
  });
  const directory = new AgentDirectory();
  const isClockSuspect = (): boolean => watch.look() !== undefined;
  const guardState = (): "open" => "open";
  const metrics = new CollectorMetrics({
    reader,
    directory,
    dataDir,
    isClockSuspect,
    guardState,
    notices: () => ({}),
    headPayloadBytes: () => 0,
  });
  const failures: unknown[] = [];
  const app = adminApi({
    reader,
    directory,
    retention,
    guard: { pause: undefined },
    compact: () => compactNow(store, reader),
    backup: (path) => {
      store.backups.push(path);
      return Promise.resolve({ ...BACKUP, path });
    },
    doctor: (deep) => Promise.resolve({ ...SOUND, deep }),
    deletion: new DeletionDesk({
      reader,
      closeReceipts: async () => ({ receivedUs: 0, highWater: 0 }),
      carryOut: async () => ({ isGone: true }),
      nowMs: () => 0,
    }),
    metrics,
    agentAccess: { keyOf: () => "shared", isCloned: () => false, isForgotten: () => false },
    door: doorFor("query", "maintain"),
    dataDir,
    events: { failed: (error) => failures.push(error) },
  });
  return { app, failures, clocks };
}

/** The command line's own reading of the API, without the socket between them. */
function sourceOf(app: Hono): CollectorSource {
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await app.request(`/${path}`, { headers: AUTHORIZED, ...init });
    return response.json();
  };
  return new CollectorSource({
    getJson: (path) => ask(path, {}),
    postJson: (path, body) => ask(path, { method: "POST", body: JSON.stringify(body) }),
  });
}

test.each([
  ["GET", "/v1/agents"],
  ["GET", "/v1/gaps"],
  ["GET", "/v1/jobs"],
  ["GET", "/v1/stats"],
  ["GET", "/v1/retention/plan"],
  ["POST", "/v1/prune"],
  ["POST", "/v1/compact"],
  ["GET", "/v1/doctor"],
  ["GET", "/metrics"],
])("%s %s needs the query token", async (method, path) => {
  using store = new FakeStore();
  const { app } = await apiOn(store);
  for (const headers of [{}, { authorization: "Bearer wrong" }]) {
    const refused = await app.request(path, { method, headers });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ code: "unauthenticated" });
  }
  expect(store.orders).toEqual([]);
  const answered = await app.request(path, { method, headers: AUTHORIZED });
  expect(answered.status).toBe(200);
  await answered.text();
});

test.each(["/v1/prune", "/v1/compact", "/v1/backup", "/v1/delete"])(
  "what a web page asks of %s is refused, also with the right token",
  async (path) => {
    using store = new FakeStore();
    const { app } = await apiOn(store);
    const headers = { ...AUTHORIZED, origin: "http://127.0.0.1:7514" };
    const response = await app.request(path, { method: "POST", headers });
    expect(response.status).toBe(403);
    const { orders, compactions, backups } = store;
    expect({ orders, compactions, backups }).toEqual({ orders: [], compactions: 0, backups: [] });
  },
);

test.each(["/v1/prune", "/v1/backup", "/v1/delete"])(
  "a body of more than any order takes is refused at %s before it is held",
  async (path) => {
    using store = new FakeStore();
    const { app } = await apiOn(store);
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(Buffer.alloc(4096, " "));
      },
    });
    for (const body of [endless, "x".repeat(65 * 1024)]) {
      const init = { method: "POST", headers: AUTHORIZED, body, duplex: "half" } as RequestInit;
      const response = await app.request(path, init);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ code: "body-too-large" });
    }
    expect(pulled).toBeLessThan(30);
  },
);

test("an examination that is asked for again while it goes on is the same one", async () => {
  const results = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let begun = 0;
  const examine = shared((_isDeep: boolean) => results[begun++]?.promise ?? Promise.resolve(""));
  const [first, second] = [examine(true), examine(true)];
  results[0]?.resolve("sound");
  expect(await Promise.all([first, second])).toEqual(["sound", "sound"]);
  expect(begun).toBe(1);
  const again = examine(true);
  results[1]?.resolve("still sound");
  expect(await again).toBe("still sound");
});

test.each(["/v1/agents?silent=1m&silent=2m", "/v1/doctor?deep=0&deep=1"])(
  "a parameter that is given twice is refused: %s",
  async (path) => {
    using store = new FakeStore();
    const { app } = await apiOn(store);
    const response = await app.request(path, { headers: AUTHORIZED });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "parameter-invalid" });
  },
);

test.each(["{", "[]", '{"confirmClock": 1}', '{"keep": "1s"}'])(
  "a prune request of %s is refused, and nothing is pruned",
  async (body) => {
    using store = new FakeStore();
    const { app } = await apiOn(store);
    const response = await app.request("/v1/prune", { method: "POST", headers: AUTHORIZED, body });
    expect(response.status).toBe(400);
    expect(store.orders).toEqual([]);
  },
);

test.each(["", "{", "{}", '{"dir": ""}', '{"dir": "/b", "more": 1}'])(
  "a backup request of %j is refused, and none is made",
  async (body) => {
    using store = new FakeStore();
    const { app } = await apiOn(store);
    const response = await app.request("/v1/backup", { method: "POST", headers: AUTHORIZED, body });
    expect(response.status).toBe(400);
    expect(store.backups).toEqual([]);
  },
);

test.each(["", "{", "{}", '{"query": ""}', '{"query": "a", "more": 1}'])(
  "a delete request of %j is refused",
  async (body) => {
    using store = new FakeStore();
    const { app } = await apiOn(store);
    const response = await app.request("/v1/delete", { method: "POST", headers: AUTHORIZED, body });
    expect(response.status).toBe(400);
    const { status } = await app.request("/v1/delete", { method: "POST", body });
    expect(status).toBe(401);
  },
);

test("what is confirmed and not known is a failure that says so", async () => {
  using store = new FakeStore();
  const { app } = await apiOn(store);
  await using source = sourceOf(app);
  const deleted = source.delete({ confirm: "unknown", wait: false });
  await expect(deleted).rejects.toThrow("no longer known: nothing was deleted");
});

test("the command line understands every answer", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40), batch(2, 1));
  store.knownStreams = [stream({ gaps: 1 })];
  const { app } = await apiOn(store);
  await using source = sourceOf(app);
  expect(await source.agents()).toMatchObject([{ host: "web-1", connected: false }]);
  expect(await source.gaps()).toMatchObject([{ cause: "truncated", range: { fromByte: 10 } }]);
  expect(await source.jobs()).toEqual([]);
  expect(await source.stats()).toMatchObject({
    agents: 1,
    connectedAgents: 0,
    batches: 2,
    gaps: 1,
  });
  const plan = await source.plan();
  expect(plan).toMatchObject({ batches: 1, records: 10 });
  expect(await source.prune({ confirmClock: false })).toMatchObject({ plan, batches: 1 });
  expect(await source.compact()).toMatchObject({ before: { batches: 1 }, after: { batches: 1 } });
  expect(store.compactions).toBe(1);
  expect(await source.backup("/mnt/b")).toMatchObject({ path: "/mnt/b", records: 1_234_567 });
  expect(store.backups).toEqual(["/mnt/b"]);
  expect(await source.doctor(true)).toEqual({ ...SOUND, deep: true });
});

test("a prune may be asked for without a body", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40));
  const { app } = await apiOn(store);
  const response = await app.request("/v1/prune", { method: "POST", headers: AUTHORIZED });
  expect(await response.json()).toMatchObject({ batches: 1 });
});

test("a confirmation lifts the suspension before the prune", async () => {
  using store = new FakeStore();
  store.add(batch(1, 20));
  const { app, clocks } = await apiOn(store);
  await using source = sourceOf(app);
  clocks.set(365 * 86_400_000);
  expect((await source.stats()).clockSuspect).toMatch(/365d/);
  expect((await source.prune({ confirmClock: false })).batches).toBe(0);
  expect((await source.prune({ confirmClock: true })).batches).toBe(1);
  expect((await source.stats()).clockSuspect).toBeNull();
});

test("a prune that takes its time keeps the link alive with white space", async () => {
  using store = new FakeStore();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  store.gate = promise;
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const { app } = await apiOn(store);
    const response = await app.request("/v1/prune", { method: "POST", headers: AUTHORIZED });
    vi.advanceTimersByTime(11_000);
    resolve(undefined);
    const text = await response.text();
    expect(text.startsWith("  {")).toBe(true);
    expect(JSON.parse(text)).toMatchObject({ batches: 0 });
  } finally {
    vi.useRealTimers();
  }
});

test("a prune that fails is told to its client, and in full to the log", async () => {
  using store = new FakeStore();
  const broken = new Error("/secret/path is gone");
  const { promise, reject } = Promise.withResolvers<undefined>();
  promise.catch(() => undefined);
  reject(broken);
  store.gate = promise;
  const { app, failures } = await apiOn(store);
  await using source = sourceOf(app);
  const failure = await source.prune({ confirmClock: false }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect(String(failure)).not.toContain("/secret/path");
  expect(failures).toEqual([broken]);
});

test("an answer of another version is a clear failure", async () => {
  const source = new CollectorSource({
    getJson: () => Promise.resolve({ agents: [] }),
    postJson: () => Promise.resolve(undefined),
  });
  await expect(source.agents()).rejects.toThrow("not one that this version of sluice understands");
});

test("silence is asked for as a duration, and anything else refused", async () => {
  using store = new FakeStore();
  const { app } = await apiOn(store);
  const get = (silent: string): Promise<Response> =>
    Promise.resolve(app.request(`/v1/agents?silent=${silent}`, { headers: AUTHORIZED }));
  expect((await get("soon")).status).toBe(400);
  expect(await (await get("10m")).json()).toMatchObject([{ host: "web-1" }]);
  expect(await (await get("36500d")).json()).toEqual([]);
});
