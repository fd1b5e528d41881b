import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { timeUs } from "@sluice/quantity";
import { expect, test } from "vitest";

import { ClockWatch } from "../src/retention/clock-watch.ts";
import { DAY_US, FakeClocks, FakeStore, NOW_US } from "./fake-store.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

test.each([
  ["an hour less than a week", 7 * DAY_US - 1, false],
  ["a week", 7 * DAY_US, false],
  ["a week and a microsecond", 7 * DAY_US + 1, true],
])(
  "a clock that starts %s past the last receipt is believed or not",
  async (_, pastUs, isSuspect) => {
    using folder = new FakeStore();
    const watch = await ClockWatch.start(folder.dataDir, timeUs(NOW_US - pastUs), new FakeClocks());
    expect(watch.look() !== undefined).toBe(isSuspect);
  },
);

test("a first start has nothing to compare the clock with, and believes it", async () => {
  using folder = new FakeStore();
  const watch = await ClockWatch.start(folder.dataDir, undefined, new FakeClocks());
  expect(await watch.observe()).toBeUndefined();
});

test.each([
  ["an hour forward", HOUR_MS, false],
  ["more than an hour forward", HOUR_MS + 1, true],
  ["an hour back", -HOUR_MS, false],
  ["more than an hour back", -HOUR_MS - 1, true],
])("a running clock that is set %s is believed or not", async (_, byMs, isSuspect) => {
  using folder = new FakeStore();
  const clocks = new FakeClocks();
  const watch = await ClockWatch.start(folder.dataDir, NOW_US, clocks);
  clocks.pass(60_000);
  expect(await watch.observe()).toBeUndefined();
  clocks.pass(60_000);
  clocks.set(byMs);
  expect((await watch.observe()) !== undefined).toBe(isSuspect);
});

test("days that pass on both clocks are no jump", async () => {
  using folder = new FakeStore();
  const clocks = new FakeClocks();
  const watch = await ClockWatch.start(folder.dataDir, NOW_US, clocks);
  clocks.pass(30 * 24 * HOUR_MS);
  expect(await watch.observe()).toBeUndefined();
});

test("a suspension keeps the last moment that was believed, and its first reason", async () => {
  using folder = new FakeStore();
  const clocks = new FakeClocks();
  const watch = await ClockWatch.start(folder.dataDir, NOW_US, clocks);
  clocks.set(YEAR_MS);
  const first = await watch.observe();
  expect(first).toMatchObject({ trustedUs: NOW_US });
  clocks.set(-YEAR_MS); // put right again: a person should still look
  expect(await watch.observe()).toBe(first);
});

test("a restart does not lift a suspension, though the data has caught up with the clock", async () => {
  using folder = new FakeStore();
  const clocks = new FakeClocks();
  const before = await ClockWatch.start(folder.dataDir, NOW_US, clocks);
  clocks.set(YEAR_MS);
  const suspension = await before.observe();
  const after = await ClockWatch.start(folder.dataDir, clocks.wallUs(), clocks);
  expect(after.look()).toEqual(suspension);
});

test("a person's word lifts a suspension for good", async () => {
  using folder = new FakeStore();
  const clocks = new FakeClocks();
  const watch = await ClockWatch.start(folder.dataDir, NOW_US, clocks);
  clocks.set(YEAR_MS);
  await watch.observe();
  await watch.confirm();
  expect(await watch.observe()).toBeUndefined();
  const later = await ClockWatch.start(folder.dataDir, clocks.wallUs(), clocks);
  expect(later.look()).toBeUndefined();
});

test("looking leaves no trace", async () => {
  using folder = new FakeStore();
  const clocks = new FakeClocks();
  const watch = await ClockWatch.start(folder.dataDir, timeUs(NOW_US - 8 * DAY_US), clocks);
  expect(watch.look()).toBeDefined();
  const again = await ClockWatch.start(folder.dataDir, NOW_US, clocks);
  expect(again.look()).toBeUndefined();
});

test("a file that cannot be read suspends, and hides nothing", async () => {
  using folder = new FakeStore();
  writeFileSync(join(folder.dataDir, "clock-suspect.json"), '{"reason":');
  const watch = await ClockWatch.start(folder.dataDir, NOW_US, new FakeClocks());
  expect(watch.look()).toMatchObject({ trustedUs: 0 });
});
