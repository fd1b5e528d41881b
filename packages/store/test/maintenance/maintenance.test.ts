import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { StoreError } from "../../src/errors.ts";
import { Maintenance } from "../../src/maintenance/maintenance.ts";
import {
  announceSegments,
  applySwap,
  type Swap,
  type SwapResult,
} from "../../src/manifest/swap.ts";
import { listSegmentFiles } from "../../src/manifest/segment-folder.ts";
import { StoredLog } from "../stored-log.ts";

const STREAM = { agentId: "a-1", source: "/var/log/syslog", generation: 1 };

let log: StoredLog;
let failures: StoreError[];

beforeEach(() => {
  log = new StoredLog();
  log.append(STREAM, [{ body: "one" }, { body: "two" }]);
  failures = [];
});

afterEach(() => log[Symbol.dispose]());

/** The maintenance thread, its swaps being carried out by the test. */
function maintenance(swap: (swap: Swap) => Promise<SwapResult>): Maintenance {
  const writer = {
    announce: async (paths: readonly string[]) => announceSegments(log.db, paths),
    swap,
  };
  return new Maintenance(log.dataDir, writer, {
    swapped: () => undefined,
    measured: () => undefined,
    quarantined: () => undefined,
    failed: (error) => failures.push(error),
  });
}

function livePaths(): string[] {
  return log.db
    .prepare("SELECT path FROM segments WHERE removed IS NULL")
    .pluck()
    .all() as string[];
}

describe("the maintenance thread", () => {
  it("writes what the head holds as a segment", async () => {
    await using jobs = maintenance(async (swap) => applySwap(log.db, swap));
    await jobs.settle();
    expect(livePaths()).toEqual(listSegmentFiles(log.dataDir));
    expect(log.search({ query: "one" }).summary).toMatchObject({ rows: 1, damaged: 0 });
    expect(log.db.prepare("SELECT count(*) FROM live_batches").pluck().get()).toBe(0);
  });

  it("leaves the files of a swap that is carried out while it is told to stop", async () => {
    let stopped: Promise<void> | undefined;
    const jobs = maintenance(async (swap) => {
      stopped = jobs[Symbol.asyncDispose]();
      await after(100); // that the thread has heard of it gives no sign
      return applySwap(log.db, swap);
    });
    const settled = jobs.settle().catch((error: unknown) => error);
    await settled;
    await stopped;
    const [path] = livePaths();
    expect(path).toBeDefined();
    expect(existsSync(join(log.dataDir, path ?? ""))).toBe(true);
    expect(log.search({}).summary).toMatchObject({ rows: 2, damaged: 0 });
  });

  it("begins again where its input was removed meanwhile, and leaves no file of the first attempt", async () => {
    let attempts = 0;
    await using jobs = maintenance(async (swap) => {
      attempts += 1;
      return attempts === 1 ? { ok: false, reason: "delete-issued" } : applySwap(log.db, swap);
    });
    await jobs.settle();
    expect(attempts).toBe(2);
    expect(livePaths()).toEqual(listSegmentFiles(log.dataDir));
  });

  it("says that a job failed, and goes on with the next", async () => {
    let isRefused = true;
    await using jobs = maintenance(async (swap) => {
      if (isRefused) {
        throw new StoreError("disk-full", "no room", "make some");
      }
      return applySwap(log.db, swap);
    });
    await expect(jobs.settle()).rejects.toMatchObject({ code: "disk-full" });
    isRefused = false;
    await jobs.settle();
    expect(livePaths()).toHaveLength(1);
    expect(livePaths()).toEqual(listSegmentFiles(log.dataDir));
  });
});
