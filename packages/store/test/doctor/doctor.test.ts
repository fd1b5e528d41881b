import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { retentionPolicySchema } from "@sluice/retention";
import type { TimeUs } from "@sluice/quantity";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { DoctorReport } from "../../src/doctor/doctor-report.ts";
import { examine } from "../../src/doctor/examination.ts";
import { listSegmentFiles } from "../../src/manifest/segment-folder.ts";
import { LogSite } from "../backup/log-site.ts";

let original: LogSite;

beforeAll(async () => {
  original = await LogSite.open();
  await original.ship("/a", original.lines(0, 300));
  await original.ship("/b", original.lines(0, 20));
  await original.store.compact();
  await original.ship("/a", original.lines(300, 320));
  await original.close();
});

afterAll(() => original[Symbol.asyncDispose]());

/** A closed store with a segment of two streams, and a batch in its head. */
function filled(): LogSite {
  return LogSite.copyOf(original);
}

function look(site: LogSite, isDeep: boolean): DoctorReport {
  return examine({ dataDir: site.dataDir, isDeep }, Date.now);
}

/** Names of the checks that found something. */
function broken({ checks }: DoctorReport): string[] {
  return checks.filter(({ problems }) => problems.length > 0).map(({ name }) => name);
}

function segmentOf(site: LogSite): string {
  return join(site.dataDir, listSegmentFiles(site.dataDir)[0] ?? "");
}

/** Changes a file of SQLite behind Sluice's back. */
function tamper(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

describe("doctor", { timeout: 30_000 }, () => {
  it("finds nothing in a store that is whole, and counts what it saw", async () => {
    await using site = filled();
    expect(look(site, false)).toMatchObject({ problems: 0, advice: undefined });
    const deep = look(site, true);
    expect(deep).toMatchObject({ problems: 0, verdict: "everything is fine, down to each record" });
    expect(Object.fromEntries(deep.checks.map(({ name, summary }) => [name, summary]))).toEqual({
      head: "head.db of version 3",
      files: "1 segments in the manifest, 1 files",
      segments: "1 opened, and compared with the manifest",
      blocks: "1 decoded, 320 records",
      batches: "1 of the head decoded, 20 records",
      streams: "2 streams, 340 records",
      sequences: "3 runs",
    });
  });

  it("finds nothing after records were dropped, deleted and split over partitions", async () => {
    await using site = await LogSite.open();
    const policy = retentionPolicySchema.parse({
      rules: [{ match: { level: ">=error" }, keep: "365d" }],
    });
    const prune = (cutoffs: Record<string, number>) =>
      site.store.prune({
        visibility: { policy, cutoffs: cutoffs as Record<string, TimeUs> },
        batchIds: [],
        segmentIds: [],
        segmentParts: [],
        job: { dueUs: 1, startedUs: 1, detail: "" },
      });
    await prune({ default: 0 });
    const mixed = site
      .lines(0, 200)
      .map((line, i) => ({ ...line, severity: i % 3 === 0 ? 17 : 9 }));
    await site.ship("/a", mixed);
    await site.store.compact();
    await site.ship("/a", mixed);
    await site.store.compact();
    const order = { fromUs: undefined, untilUs: undefined, issuedUs: 1 };
    await site.store.delete({ query: "t10x OR t12x", ...order });
    await site.store.removeDeleted();
    expect(site.find("*")).toHaveLength(396);
    await site.close();
    expect(listSegmentFiles(site.dataDir).length).toBeGreaterThan(1);
    expect(look(site, true)).toMatchObject({ problems: 0 });
    expect(look(site, false)).toMatchObject({ problems: 0 });
  });

  it.each([
    {
      what: "a segment that is missing",
      damage: (site: LogSite) => rmSync(segmentOf(site)),
      found: ["files"],
      foundDeep: ["files"],
    },
    {
      what: "a segment that nobody knows",
      damage: (site: LogSite) => writeFileSync(join(segmentOf(site), "../new.db"), ""),
      found: ["files"],
      foundDeep: ["files"],
    },
    {
      what: "a segment that is no database any more",
      damage: (site: LogSite) => writeFileSync(segmentOf(site), "x".repeat(5000)),
      found: ["files", "segments"],
      foundDeep: ["files", "segments"],
    },
    {
      what: "a segment whose list is not the manifest's",
      damage: (site: LogSite) => tamper(segmentOf(site), "UPDATE runs SET count = count - 1"),
      found: ["segments"],
      foundDeep: ["segments", "blocks"],
    },
    {
      what: "a block whose content was changed",
      damage: (site: LogSite) =>
        tamper(segmentOf(site), "UPDATE blocks SET content = zeroblob(length(content))"),
      found: [],
      foundDeep: ["blocks"],
    },
    {
      what: "a token filter without a bucket",
      damage: (site: LogSite) => tamper(segmentOf(site), "DELETE FROM filter_buckets"),
      found: [],
      foundDeep: ["blocks"],
    },
    {
      what: "a batch whose payload was changed",
      damage: (site: LogSite) =>
        tamper(site.folder.at("data/head.db"), "UPDATE batches SET payload = zeroblob(9)"),
      found: [],
      foundDeep: ["batches"],
    },
    {
      what: "a batch that is lost",
      damage: (site: LogSite) => tamper(site.folder.at("data/head.db"), "DELETE FROM batches"),
      found: ["streams"],
      foundDeep: ["streams"],
    },
    {
      what: "a batch that is there twice",
      damage: (site: LogSite) =>
        tamper(
          site.folder.at("data/head.db"),
          `INSERT INTO batches SELECT id + 9, stream, first_seq, count, min_time_us, max_time_us, received_us,
           severities, body_bytes, raw_bytes, payload FROM batches`,
        ),
      found: ["streams", "sequences"],
      foundDeep: ["streams", "sequences"],
    },
    {
      what: "a stream that was put back",
      damage: (site: LogSite) =>
        tamper(site.folder.at("data/head.db"), "UPDATE streams SET next_seq = 10"),
      found: ["sequences"],
      foundDeep: ["sequences"],
    },
    {
      what: "a head that is no database any more",
      damage: (site: LogSite) => writeFileSync(site.folder.at("data/head.db"), "x".repeat(9000)),
      found: ["head"],
      foundDeep: ["head"],
    },
    {
      what: "a head that is missing",
      damage: (site: LogSite) => renameSync(site.folder.at("data/head.db"), site.folder.at("h")),
      found: ["head"],
      foundDeep: ["head"],
    },
  ])("finds $what, and says what to do", async ({ damage, found, foundDeep }) => {
    await using site = filled();
    damage(site);
    const quick = look(site, false);
    expect(broken(quick)).toEqual(found);
    expect(quick.advice === undefined).toBe(found.length === 0);
    expect(broken(look(site, true))).toEqual(foundDeep);
  });

  it("changes nothing, and leaves nothing behind", async () => {
    await using site = filled();
    const before = readdirSync(site.dataDir, { recursive: true });
    look(site, true);
    const after = readdirSync(site.dataDir, { recursive: true });
    // An index of the log that each reader makes; the folder of leases is empty.
    expect(new Set(after.filter((name) => !/-(shm|wal)$/.test(String(name))))).toEqual(
      new Set([...before, "leases"]),
    );
  });

  it("finds nothing beside a store that is written to, compacted and merged", async () => {
    await using site = await LogSite.open();
    const done = new AbortController();
    const work = (async () => {
      for (let i = 0; i < 5; i++) {
        await site.ship("/a", site.lines(i * 50, i * 50 + 50));
        await site.store.compact();
      }
      done.abort();
    })();
    while (!done.signal.aborted) {
      const { checks } = look(site, true);
      expect(checks.flatMap(({ problems }) => problems)).toEqual([]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await work;
  });
});
