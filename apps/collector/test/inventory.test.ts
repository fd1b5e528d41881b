import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { folderBytes, lastReceiptUs, takeInventory } from "../src/retention/inventory.ts";
import { batch, FakeStore, NOW_US, policy, stream } from "./fake-store.ts";

test("a batch is a unit with its stream's names and its own times, severities and sizes", async () => {
  using store = new FakeStore();
  store.knownStreams = [stream({ streamId: 1, host: "db-1", labels: { env: "prod" } })];
  store.add(batch(42, 3, { severities: 1 << 17, bytes: 700, records: 5 }));
  const { units } = await takeInventory(store.reader, store.dataDir, policy({}));
  const receivedUs = NOW_US - 3 * 86_400_000_000;
  expect(units).toEqual([
    {
      id: "batch-42",
      host: "db-1",
      source: "/var/log/syslog",
      labels: { env: "prod" },
      severities: 1 << 17,
      firstReceivedUs: receivedUs,
      lastReceivedUs: receivedUs,
      bytes: 700,
      records: 5,
    },
  ]);
});

test("the total is every file under the data folder, at any depth", async () => {
  using store = new FakeStore();
  store.add(batch(1, 1, { bytes: 5000 }));
  mkdirSync(join(store.dataDir, "segments/p/2026-11-24"), { recursive: true });
  writeFileSync(join(store.dataDir, "segments/p/2026-11-24/1.db"), Buffer.alloc(300));
  expect((await takeInventory(store.reader, store.dataDir, policy({}))).totalBytes).toBe(5300);
});

test("a write-ahead log whose pages are in the head already does not count a second time", async () => {
  using store = new FakeStore();
  store.add(batch(1, 1, { bytes: 5000 }));
  writeFileSync(join(store.dataDir, "head.db-wal"), Buffer.alloc(90_000));
  expect((await takeInventory(store.reader, store.dataDir, policy({}))).totalBytes).toBe(5000);
  expect(await folderBytes(store.dataDir)).toBe(95_000);
});

test("what only the write-ahead log holds yet counts by its batches", async () => {
  using store = new FakeStore();
  store.add(batch(1, 1, { bytes: 5000 }));
  truncateSync(join(store.dataDir, "head.db"), 1000);
  writeFileSync(join(store.dataDir, "head.db-wal"), Buffer.alloc(9000));
  expect((await takeInventory(store.reader, store.dataDir, policy({}))).totalBytes).toBe(5000);
});

test("what was removed and is still on the disk takes no place, and is room", async () => {
  using store = new FakeStore();
  store.add(batch(1, 1, { bytes: 5000 }));
  const before = await takeInventory(store.reader, store.dataDir, policy({}));
  // Far more than other programs on this volume take meanwhile.
  store.returnableBytes = 2 ** 50;
  const { totalBytes, volume } = await takeInventory(store.reader, store.dataDir, policy({}));
  expect(totalBytes).toBe(0);
  expect(volume?.freeBytes).toBeGreaterThan((before.volume?.freeBytes ?? Number.NaN) + 2 ** 49);
});

test("the volume is the one that the data folder lies on", async () => {
  using store = new FakeStore();
  const { volume } = await takeInventory(store.add().reader, store.dataDir, policy({}));
  expect(volume?.totalBytes).toBeGreaterThan(volume?.freeBytes ?? Number.NaN);
  expect(volume?.freeBytes).toBeGreaterThan(0);
});

test("the last receipt is that of the latest stream, and unknown where nothing was received", () => {
  using store = new FakeStore();
  store.knownStreams = [
    stream({ lastReceivedUs: NOW_US - 5 }),
    stream({ lastReceivedUs: NOW_US }),
    stream({ lastReceivedUs: undefined }),
  ];
  expect(lastReceiptUs(store.reader)).toBe(NOW_US);
  store.knownStreams = [stream({ lastReceivedUs: undefined })];
  expect(lastReceiptUs(store.reader)).toBeUndefined();
});
