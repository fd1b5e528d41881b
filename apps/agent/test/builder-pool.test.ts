import { LIMITS } from "@sluice/protocol";
import { describe, expect, it } from "vitest";

import { BuilderPool, type Lease } from "../src/builder-pool.ts";

const SMALL_BYTES = 64 * 1024;

function acquire(pool: BuilderPool, count: number): Lease[] {
  return Array.from({ length: count }, () => pool.acquire(0));
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

  it("keeps only a few of those that come back", () => {
    const pool = new BuilderPool();
    const lent = acquire(pool, 50);
    lent.forEach((lease) => pool.release(lease));
    const known = new Set(lent.map(({ builder }) => builder));
    const reused = acquire(pool, 50).filter(({ builder }) => known.has(builder));
    expect(reused.length).toBeGreaterThan(0);
    expect(reused.length).toBeLessThan(10);
  });
});
