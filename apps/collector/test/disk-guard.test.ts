import { expect, test } from "vitest";

import { DiskGuard } from "../src/guard/disk-guard.ts";
import type { VolumeState } from "../src/guard/volume-watch.ts";

const MiB = 1024 * 1024;
const TOTAL = 16 * 1024 * MiB;

/** A guard on a volume, a log and a ballast that the test sets; what happened is a list of words. */
class Stand {
  readonly happened: string[] = [];
  freeBytes = 1024 * MiB;
  walBytes = 0;
  foldBytes = 0;
  ballastBytes = 128 * MiB;
  nowMs = 0;
  checkpoint: () => Promise<void> = () => Promise.resolve();
  prune: () => Promise<void> = () => Promise.resolve();
  readonly guard: DiskGuard = new DiskGuard({
    readVolume: () => Promise.resolve(this.volume),
    ballast: {
      bytes: () => Promise.resolve(this.ballastBytes),
      grow: (wantedBytes) => {
        this.happened.push("ballast laid");
        this.freeBytes -= wantedBytes - this.ballastBytes;
        this.ballastBytes = wantedBytes;
        return Promise.resolve(false);
      },
      release: () => {
        const bytes = this.ballastBytes;
        this.freeBytes += bytes;
        this.ballastBytes = 0;
        return Promise.resolve(bytes);
      },
    },
    ingest: {
      pause: () => this.happened.push("credit taken"),
      resume: () => this.happened.push("credit given"),
    },
    checkpoint: () => {
      this.happened.push("checkpoint");
      return this.checkpoint();
    },
    prune: () => {
      this.happened.push("prune");
      return this.prune();
    },
    retentionFloor: (totalBytes) => totalBytes / 20,
    compactionBytes: 0,
    events: {
      pruning: () => this.happened.push("pruning"),
      relieved: () => this.happened.push("relieved"),
      paused: ({ reason }) => this.happened.push(`paused: ${reason}`),
      resumed: (_volume, tookMs) => this.happened.push(`resumed after ${tookMs}`),
      ballastReleased: () => this.happened.push("ballast released"),
      failed: (error) => this.happened.push(`failed: ${(error as Error).message}`),
    },
    clock: () => this.nowMs,
  });

  get volume(): VolumeState {
    const missingBallastBytes = 128 * MiB - this.ballastBytes;
    const { freeBytes, walBytes, foldBytes } = this;
    const roomBytes = freeBytes - foldBytes - missingBallastBytes;
    return { freeBytes, totalBytes: TOTAL, roomBytes, walBytes, foldBytes, missingBallastBytes };
  }

  /** What a look with so much free room, so much later, leads to. */
  async look(freeBytes: number, afterMs = 500): Promise<string[]> {
    this.freeBytes = freeBytes;
    this.nowMs += afterMs;
    return this.during(() => this.guard.look());
  }

  async during(work: () => unknown): Promise<string[]> {
    await work();
    await new Promise((resolve) => setImmediate(resolve));
    return this.happened.splice(0);
  }
}

test("nothing happens while there is room", async () => {
  const stand = new Stand();
  expect(await stand.look(1024 * MiB)).toEqual([]);
  expect(stand.guard.state).toBe("open");
});

test("retention is asked before agents have to wait, and not at each look", async () => {
  const stand = new Stand();
  expect(await stand.look(90 * MiB)).toEqual(["pruning", "prune"]);
  expect(await stand.look(90 * MiB)).toEqual([]);
  expect(await stand.look(90 * MiB, 1_500)).toEqual(["prune"]);
  expect(stand.guard.pause).toBeUndefined();
  expect(await stand.look(200 * MiB)).toEqual(["relieved"]);
});

test("below the floor agents lose their credit, and get it back by themselves", async () => {
  const stand = new Stand();
  expect(await stand.look(60 * MiB)).toEqual(["credit taken", "paused: room", "prune"]);
  expect(stand.guard.pause).toMatchObject({ reason: "room", floorBytes: 64 * MiB });
  expect(await stand.look(127 * MiB)).toEqual([]);
  expect(await stand.look(128 * MiB)).toEqual(["credit given", "resumed after 1000"]);
  expect(stand.guard.pause).toBeUndefined();
});

test("the log is folded in first, where that is worth it", async () => {
  const stand = new Stand();
  stand.walBytes = 7 * MiB;
  expect(await stand.look(90 * MiB)).toEqual(["pruning", "prune"]);
  stand.walBytes = 8 * MiB;
  expect(await stand.look(90 * MiB)).toEqual(["checkpoint"]);
  stand.walBytes = 1 * MiB;
  expect(await stand.look(60 * MiB)).toEqual(["credit taken", "paused: room", "checkpoint"]);
});

test("within 2.5 GiB of the end a log that is not folded in never outgrows the ballast", async () => {
  const stand = new Stand();
  stand.foldBytes = 64 * MiB;
  expect(await stand.look(1024 * MiB)).toEqual([]);
  stand.foldBytes = 64 * MiB + 1;
  expect(await stand.look(1024 * MiB)).toEqual(["checkpoint"]);
  expect(await stand.look(4096 * MiB)).toEqual([]);
});

test("a checkpoint that finds no room is told once, and a prune is tried all the same", async () => {
  const stand = new Stand();
  stand.walBytes = 32 * MiB;
  stand.checkpoint = () => Promise.reject(new Error("full"));
  stand.guard.full();
  expect(await stand.look(20 * MiB)).toEqual([
    "credit taken",
    "paused: sqlite-full",
    "ballast released",
    "checkpoint",
    "failed: full",
    "prune",
  ]);
  expect(await stand.look(20 * MiB)).toEqual(["checkpoint"]);
});

test("a prune that failed is tried again, and told once", async () => {
  const stand = new Stand();
  stand.prune = () => Promise.reject(new Error("full"));
  expect(await stand.look(90 * MiB)).toEqual(["pruning", "prune", "failed: full"]);
  expect(await stand.look(90 * MiB, 2_000)).toEqual(["prune"]);
});

test("one prune runs at a time, and a long one is long not repeated", async () => {
  const stand = new Stand();
  const { promise, resolve } = Promise.withResolvers<void>();
  stand.prune = () => promise;
  expect(await stand.look(90 * MiB)).toEqual(["pruning", "prune"]);
  expect(await stand.look(90 * MiB, 3_000)).toEqual([]);
  await stand.during(() => resolve());
  expect(await stand.look(90 * MiB, 29_999)).toEqual([]);
  expect(await stand.look(90 * MiB, 1)).toEqual(["prune"]);
});

test("the ballast goes in an emergency, is no room to open with, and comes back behind it", async () => {
  const stand = new Stand();
  expect(await stand.look(10 * MiB)).toEqual([
    "credit taken",
    "paused: room",
    "ballast released",
    "prune",
  ]);
  expect(await stand.look(138 * MiB)).toEqual([]);
  expect(await stand.look(255 * MiB)).toEqual([]);
  expect(await stand.look(256 * MiB)).toEqual([
    "credit given",
    "resumed after 1500",
    "ballast laid",
  ]);
  expect(stand.ballastBytes).toBe(128 * MiB);
});

test("a commit that found no room pauses at once and for a while, whatever the volume says", async () => {
  const stand = new Stand();
  expect(await stand.during(() => stand.guard.full())).toEqual([
    "credit taken",
    "paused: sqlite-full",
    "ballast released",
  ]);
  expect(await stand.during(() => stand.guard.full())).toEqual([]);
  expect(await stand.look(1024 * MiB)).toEqual(["prune"]);
  expect(await stand.look(1024 * MiB, 1_500)).toEqual([
    "credit given",
    "resumed after 2000",
    "ballast laid",
  ]);
});

test("on a roomy volume the ballast is not laid before the start is over", async () => {
  const stand = new Stand();
  stand.ballastBytes = 0;
  expect(await stand.look(8_192 * MiB)).toEqual([]);
  expect(await stand.look(8_192 * MiB, 30_000)).toEqual(["ballast laid"]);
});

test("the faster agents send, the more room is held for them", async () => {
  const stand = new Stand();
  expect(await stand.look(300 * MiB)).toEqual([]);
  stand.nowMs += 60_000;
  const messageBytes = new Map([[1, 600 * MiB]]);
  expect(await stand.during(() => stand.guard.committed({ messageBytes }))).toEqual([
    "pruning",
    "prune",
  ]);
});
