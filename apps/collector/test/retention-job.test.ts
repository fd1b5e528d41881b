import { cutoffsAt } from "@sluice/retention";
import type { RetentionPolicyInput } from "@sluice/retention";
import { expect, test, vi } from "vitest";

import { ClockWatch } from "../src/retention/clock-watch.ts";
import { type DecideRetention, decideRetention } from "../src/retention/retention-decision.ts";
import { type RetentionEvents, RetentionJob } from "../src/retention/retention-job.ts";
import type { PruneReport } from "../src/retention/retention-report.ts";
import { batch, DAY_US, FakeClocks, FakeStore, NOW_US, policy } from "./fake-store.ts";

interface Told {
  readonly pruned: PruneReport[];
  readonly suspended: string[];
  readonly failed: unknown[];
}

async function jobOn(
  store: FakeStore,
  input: RetentionPolicyInput,
  options: { readonly lastReceiptUs?: typeof NOW_US; readonly cycleMs?: number } = {},
): Promise<{ job: RetentionJob; told: Told; clocks: FakeClocks; watch: ClockWatch }> {
  const told: Told = { pruned: [], suspended: [], failed: [] };
  const events: RetentionEvents = {
    pruned: (report) => told.pruned.push(report),
    suspended: ({ reason }) => told.suspended.push(reason),
    failed: (error) => told.failed.push(error),
  };
  const clocks = new FakeClocks();
  const watch = await ClockWatch.start(store.dataDir, options.lastReceiptUs ?? NOW_US, clocks);
  const { dataDir, reader } = store;
  const decide: DecideRetention = (question) => decideRetention(reader, question);
  const { cycleMs } = options;
  const parts = { store, decide, dataDir, policy: policy(input), watch, events, clocks, cycleMs };
  return { job: new RetentionJob(parts), told, clocks, watch };
}

function ids(store: FakeStore): number[] {
  return store.stored.flatMap(({ place }) => (place.kind === "batch" ? place.batch : []));
}

test("a plan is what the prune behind it carries out", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40), batch(2, 31), batch(3, 2), batch(4, 1));
  const { job } = await jobOn(store, { keep: "30d", max_size: "1500B" });
  const plan = await job.plan();
  expect(ids(store)).toEqual([1, 2, 3, 4]);
  expect(store.orders).toEqual([]);
  const report = await job.prune();
  expect(report.plan).toEqual(plan);
  expect(plan).toMatchObject({ batches: 3, records: 30, bytes: 3000, totalBytes: 4000 });
  expect(plan.rows.map(({ rule, kind, batches }) => ({ rule, kind, batches }))).toEqual([
    { rule: "default", kind: "age", batches: 2 },
    { rule: null, kind: "total-size", batches: 1 },
  ]);
  expect(ids(store)).toEqual([4]);
  expect(report).toMatchObject({
    batches: 3,
    records: 30,
    bytes: 3000,
    diskBytesBefore: 4000,
    diskBytesAfter: 1000,
  });
});

test("a second prune finds nothing more to drop", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40), batch(2, 1));
  const { job } = await jobOn(store, { keep: "30d" });
  await job.prune();
  expect((await job.prune()).plan.rows).toEqual([]);
});

test("an order names the rules in the words of the job list", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40), batch(2, 31), batch(3, 1));
  const { job } = await jobOn(store, { keep: "30d" });
  await job.prune();
  expect(store.orders[0]?.job).toEqual({
    dueUs: NOW_US,
    startedUs: NOW_US,
    detail: "2 batches: older than 30d (default)",
  });
});

test("the cutoffs of the policy are in force when the start resolves, whatever there is to drop", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40));
  const { job } = await jobOn(store, { keep: "30d" });
  await job.start();
  const first = store.orders[0];
  expect(first?.visibility).toEqual({
    policy: policy({ keep: "30d" }),
    cutoffs: cutoffsAt(policy({ keep: "30d" }), NOW_US),
  });
  expect(first?.batchIds).toEqual([]);
  await job[Symbol.asyncDispose]();
});

test("every cycle commits the cutoffs of its own time", async () => {
  using store = new FakeStore();
  const { job, clocks } = await jobOn(store.add(), { keep: "30d" });
  await job.prune();
  clocks.pass(60_000);
  await job.prune();
  const cutoffs = store.orders.map(({ visibility }) => visibility.cutoffs.default);
  expect(cutoffs).toEqual([NOW_US - 30 * DAY_US, NOW_US - 30 * DAY_US + 60_000_000]);
});

test("a suspect clock drops nothing for its age, and hides no more than it did", async () => {
  using store = new FakeStore();
  store.add(batch(1, 20), batch(2, 1));
  const { job, told, clocks } = await jobOn(store, { keep: "30d" });
  clocks.pass(60_000);
  await job.prune();
  clocks.set(365 * 86_400_000);
  const { plan } = await job.prune();
  expect(plan.rows).toEqual([]);
  expect(plan.clockSuspect).toMatch(/set forward by 365d/);
  expect(store.orders[1]?.visibility).toEqual(store.orders[0]?.visibility);
  await job.prune();
  expect(told.suspended).toHaveLength(1);
});

test("a suspect clock does not hold up a cap", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40), batch(2, 1));
  const { job, clocks } = await jobOn(store, { keep: "30d", max_size: "1500B" });
  clocks.set(365 * 86_400_000);
  const { plan } = await job.prune();
  expect(plan.rows.map(({ kind }) => kind)).toEqual(["total-size"]);
  expect(ids(store)).toEqual([2]);
});

test("once the clock is confirmed, ages count again", async () => {
  using store = new FakeStore();
  store.add(batch(1, 20));
  const { job, clocks } = await jobOn(store, { keep: "30d" });
  clocks.set(365 * 86_400_000);
  await job.prune();
  expect(job.suspension).toBeDefined();
  await job.confirmClock();
  expect(job.suspension).toBeUndefined();
  expect((await job.prune()).batches).toBe(1);
});

test("runs that are asked for together follow one another", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40));
  const { promise, resolve } = Promise.withResolvers<undefined>();
  store.gate = promise;
  const { job } = await jobOn(store, { keep: "30d" });
  const runs = [job.prune(), job.prune()];
  await vi.waitFor(() => expect(store.orders).toHaveLength(1));
  resolve(undefined);
  expect((await Promise.all(runs)).map(({ batches }) => batches)).toEqual([1, 0]);
});

test("a run that fails is told, and the next cycle runs all the same", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40));
  const { job, told } = await jobOn(store, { keep: "30d" }, { cycleMs: 5 });
  const { reader } = store;
  const broken = new Error("the disk is gone");
  let calls = 0;
  vi.spyOn(store, "prune").mockImplementation((order) => {
    calls += 1;
    return calls === 2 ? Promise.reject(broken) : FakeStore.prototype.prune.call(store, order);
  });
  await job.start();
  await vi.waitFor(() => expect(reader.parts()).toHaveLength(1));
  await vi.waitFor(() => expect(ids(store)).toEqual([]));
  expect(told.failed).toEqual([broken]);
  await job[Symbol.asyncDispose]();
});

test("disposal waits for the run that is under way, and none comes after it", async () => {
  using store = new FakeStore();
  store.add(batch(1, 40));
  const { promise, resolve } = Promise.withResolvers<undefined>();
  store.gate = promise;
  const { job } = await jobOn(store, { keep: "30d" });
  const run = job.prune();
  await vi.waitFor(() => expect(store.orders).toHaveLength(1));
  let isDisposed = false;
  const disposal = job[Symbol.asyncDispose]().then(() => {
    isDisposed = true;
  });
  await Promise.resolve();
  expect(isDisposed).toBe(false);
  resolve(undefined);
  await disposal;
  expect((await run).batches).toBe(1);
  await expect(job.prune()).rejects.toThrow("stopping");
});

test("a cap that cannot be met says how much is missing", async () => {
  using store = new FakeStore();
  const { job } = await jobOn(store.add(batch(1, 1)), { min_free: "99.999%" });
  const { unmet } = (await job.prune()).plan;
  expect(unmet).toHaveLength(1);
  expect(unmet[0]?.reason).toMatch(/of the volume is free/);
  expect(unmet[0]?.missingBytes).toBeGreaterThan(0);
});
