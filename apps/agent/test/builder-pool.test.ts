import { LIMITS } from "@sluice/protocol";
import { describe, expect, it } from "vitest";

import { BuilderPool, type Lease } from "../src/builder-pool.ts";

const SMALL_BYTES = 32 * 1024;

function acquire(pool: BuilderPool, count: number): Lease[] {
  return Array.from({ length: count }, () => pool.fit(pool.acquire(0), 0, LIMITS.batchRawBytes));
}

function largeOf(leases: readonly Lease[]): Lease[] {
  return leases.filter(({ isLarge }) => isLarge);
}

describe("a pool of builders", () => {
  it("lends a few that take a whole batch, and small ones beyond those", () => {
    const leases = acquire(new BuilderPool(), 100);
    const large = largeOf(leases);
    expect(large.length).toBeLessThan(10);
    expect(large.every(({ limitBytes }) => limitBytes === LIMITS.batchRawBytes)).toBe(true);
    const small = leases.filter(({ isLarge }) => !isLarge);
    expect(small.every(({ limitBytes }) => limitBytes === SMALL_BYTES)).toBe(true);
  });

  it("lends a large one only where there is something to fill it with", () => {
    const pool = new BuilderPool();
    const leases = Array.from({ length: 20 }, () => pool.acquire(0));
    const quiet = leases.map((lease) => pool.fit(lease, 0, SMALL_BYTES - 1));
    expect(largeOf(quiet)).toEqual([]);
    expect(pool.fit(pool.acquire(0), 0, SMALL_BYTES).isLarge).toBe(true);
  });

  it("makes a lease large in place when there is more to read, or a line needs it", () => {
    const pool = new BuilderPool();
    const quiet = pool.acquire(0);
    expect(pool.fit(quiet, 0, SMALL_BYTES - 1)).toBe(quiet);
    const busy = pool.fit(quiet, 0, SMALL_BYTES);
    expect(busy).toMatchObject({ isLarge: true, builder: quiet.builder });
    expect(pool.fit(busy, 0, 0)).toBe(busy);
    acquire(pool, 20);
    const late = pool.acquire(0);
    expect(pool.fit(late, 0, LIMITS.batchRawBytes)).toBe(late);
    expect(pool.fit(late, SMALL_BYTES, 0).isLarge).toBe(true);
  });

  it("lends a large one again once it was given back", () => {
    const pool = new BuilderPool();
    const leases = acquire(pool, 100);
    const [large] = largeOf(leases);
    if (large === undefined) {
      throw new Error("none was large");
    }
    pool.release(large);
    expect(largeOf(acquire(pool, 5))).toHaveLength(1);
  });

  it.each([
    [SMALL_BYTES - 1, false],
    [SMALL_BYTES, true],
    [LIMITS.recordBytes, true],
  ])("has room for the %i bytes that a stream must keep: large is %s", (bytes, isLarge) => {
    const pool = new BuilderPool();
    acquire(pool, 20);
    const lease = pool.acquire(bytes);
    expect(lease.isLarge).toBe(isLarge);
    expect(lease.limitBytes).toBeGreaterThan(bytes);
  });

  it("gives out builders without a record in them", () => {
    const pool = new BuilderPool();
    const lease = pool.acquire(0);
    lease.builder.buffer.write("one\n");
    lease.builder.add(3, 1, 0);
    pool.release(lease);
    const again = pool.acquire(0);
    expect(again.builder).toBe(lease.builder);
    expect(again.builder.count).toBe(0);
    expect(again.builder.bodiesBytes).toBe(0);
  });

  it("fills as few builders as large ones as there are at a time", () => {
    const pool = new BuilderPool();
    const large = pool.acquire(0, LIMITS.batchRawBytes);
    const small = pool.acquire(0);
    pool.release(small);
    pool.release(large);
    expect(pool.acquire(0).builder).toBe(small.builder);
    expect(pool.acquire(0).builder).not.toBe(large.builder);
    expect(pool.fit(small, 0, LIMITS.batchRawBytes)).toEqual(large);
    expect(pool.acquire(0).builder).toBe(small.builder);
  });

  it("leaves a lease its builder where that holds the beginning of a line", () => {
    const pool = new BuilderPool();
    pool.release(pool.acquire(0, LIMITS.batchRawBytes));
    const begun = pool.acquire(10);
    expect(pool.fit(begun, 10, LIMITS.batchRawBytes).builder).toBe(begun.builder);
  });

  it("keeps few of those that were large, and no more of the others than a host has busy files", () => {
    const pool = new BuilderPool();
    const large = Array.from({ length: 20 }, () => pool.acquire(LIMITS.recordBytes));
    large.forEach((lease) => pool.release(lease));
    const known = new Set(large.map(({ builder }) => builder));
    const reused = acquire(pool, 20).filter(({ builder }) => known.has(builder));
    expect(reused.length).toBeGreaterThan(0);
    expect(reused.length).toBeLessThan(5);
    const small = Array.from({ length: 300 }, () => pool.acquire(0));
    small.forEach((lease) => pool.release(lease));
    const before = new Set(small.map(({ builder }) => builder));
    const again = Array.from({ length: 300 }, () => pool.acquire(0));
    expect(again.filter(({ builder }) => before.has(builder)).length).toBeLessThan(300);
  });
});
