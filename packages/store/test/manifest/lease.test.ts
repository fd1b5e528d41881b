import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { dropDeadLeases, Lease, lowestLease } from "../../src/manifest/lease.ts";
import { Folder } from "../folder.ts";

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder[Symbol.dispose]());

describe("leases", () => {
  it("are none in a folder that never had one", () => {
    expect(lowestLease(folder.path, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it("hold the lowest version that somebody took, each until it is given back", () => {
    const seven = Lease.take(folder.path, 7, 100);
    const three = Lease.take(folder.path, 3, 100);
    const again = Lease.take(folder.path, 3, 100);
    expect(lowestLease(folder.path, 0)).toBe(3);
    three[Symbol.dispose]();
    expect(lowestLease(folder.path, 0)).toBe(3);
    again[Symbol.dispose]();
    expect(lowestLease(folder.path, 0)).toBe(7);
    seven[Symbol.dispose]();
    expect(lowestLease(folder.path, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    [99, 5],
    [100, 5],
    [101, Number.POSITIVE_INFINITY],
  ])("of 99.2 ms hold at %i ms the version %d", (nowMs, version) => {
    Lease.take(folder.path, 5, 99.2);
    expect(lowestLease(folder.path, nowMs)).toBe(version);
    expect(readdirSync(folder.at("leases"))).toHaveLength(nowMs > 100 ? 0 : 1);
  });

  it("may be given back after their time has run out, and twice", () => {
    const lease = Lease.take(folder.path, 5, 100);
    lowestLease(folder.path, 200);
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    expect(readdirSync(folder.at("leases"))).toEqual([]);
  });

  it("are told from whatever else lies in their folder, which stays", () => {
    mkdirSync(folder.at("leases"));
    for (const name of ["readme", "1-2", "1-2-x", "-1-2-6f1f0f0e-0000-4000-8000-000000000001-7"]) {
      writeFileSync(folder.at(`leases/${name}`), "");
    }
    expect(lowestLease(folder.path, 1_000)).toBe(Number.POSITIVE_INFINITY);
    expect(readdirSync(folder.at("leases"))).toHaveLength(4);
  });

  it("of processes that are gone, and of this one, end when a store begins; those of others stay", () => {
    const { pid: gone } = spawnSync("true");
    const id = "6f1f0f0e-0000-4000-8000-000000000001";
    mkdirSync(folder.at("leases"));
    for (const pid of [gone, process.pid, process.ppid]) {
      writeFileSync(folder.at(`leases/5-100-${id}-${pid}`), "");
    }
    dropDeadLeases(folder.path);
    expect(readdirSync(folder.at("leases"))).toEqual([`5-100-${id}-${process.ppid}`]);
    expect(lowestLease(folder.path, 0)).toBe(5);
  });
});
