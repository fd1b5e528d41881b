import { describe, expect, test } from "vitest";

import { MutantTree } from "../faults/mutant-tree.ts";
import { SYNC_OFF } from "../faults/mutants.ts";
import { onlyWhereAllAreWanted } from "../src/long-test.ts";
import { PRODUCT } from "../src/product.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";
import { isAckSent, isLogSync, tracingRefused } from "../src/system-trace.ts";
import { traceIngest, unsyncedAcks } from "../src/traced-ingest.ts";

const REFUSED = tracingRefused();

/** More than one of each kind of commit: openings, batches, and both with the log growing. */
const LINES = 15;

/** Past what the writer's thread syncs to create the database, before the lines are all sent. */
const FAIL_FROM = 24;

/** Writes of the writer's thread that fail: past those of the start, and over several tries. */
const FULL_FROM = 180;
const FULL_TO = 184;

describe("acks and fsync, by the system calls of the collector", () => {
  test("each ack leaves after an fsync that began behind its batch's last write", async (context) => {
    if (REFUSED !== undefined) context.skip(REFUSED);
    await using site = new Site();
    const run = await traceIngest(site, LINES);
    await using _proxy = run.proxy;
    expect(run.calls.filter(isAckSent)).toHaveLength(LINES);
    expect(unsyncedAcks(run.calls)).toEqual([]);
  });

  test("a store that does not sync its log is found out", async (context) => {
    if (REFUSED !== undefined) context.skip(REFUSED);
    await using tree = await MutantTree.grow(PRODUCT, SYNC_OFF);
    await using site = new Site(tree.product);
    const run = await traceIngest(site, LINES);
    await using _proxy = run.proxy;
    expect(unsyncedAcks(run.calls)).not.toEqual([]);
  });

  test("after a failed fsync no ack leaves, the collector says why and ends, and nothing is lost", async (context) => {
    if (REFUSED !== undefined) context.skip(REFUSED);
    await using site = new Site();
    const run = await traceIngest(site, 200, [`fsync,fdatasync:error=EIO:when=${FAIL_FROM}+`]);
    await using proxy = run.proxy;
    const { collector, path, written, acked, calls } = run;
    const failedAt = calls.find(
      (call) => isLogSync(call) && call.result.includes("EIO"),
    )?.enteredAt;
    expect(failedAt).toBeDefined();
    const acks = calls.filter(isAckSent);
    expect(acks.length).toBeGreaterThan(0);
    expect(acks.filter(({ enteredAt }) => enteredAt > (failedAt ?? 0))).toEqual([]);
    expect(acked).toBe(acks.length);
    expect(await collector.exited).toEqual({ code: 1, signal: null });
    expect(collector.log.at(-1)).toMatchObject({
      msg: expect.stringMatching(/head\.db.*disk I\/O error/),
      fields: { code: "commit-failed" },
    });

    // The disk is well again: what was written meanwhile arrives, and nothing twice.
    const { port } = await site.startCollector();
    proxy.target = port;
    await site.untilStored(written.length);
    using data = StoredData.open(site.dataDir);
    expect(data.bytes(path).toString()).toBe(written.join(""));
  });

  test("a commit that finds no room at any of its writes is rolled back, and what it held arrives once", async (context) => {
    onlyWhereAllAreWanted(context);
    if (REFUSED !== undefined) context.skip(REFUSED);
    await using site = new Site();
    const run = await traceIngest(site, 60, [
      `pwrite64:error=ENOSPC:when=${FULL_FROM}..${FULL_TO}`,
    ]);
    await using _proxy = run.proxy;
    expect(run.acked).toBe(60);
    expect(run.calls.some(({ result }) => result.includes("ENOSPC"))).toBe(true);
    expect(unsyncedAcks(run.calls)).toEqual([]);
    expect(run.collector.log.map(({ msg }) => msg)).toContain(
      "ingest paused: the volume of data_dir was full when a commit came",
    );
    using data = StoredData.open(site.dataDir);
    expect(data.bytes(run.path).toString()).toBe(run.written.join(""));
  });
});
