import { statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Committer, prepare } from "../../src/head/committer.ts";
import {
  type HeadDatabase,
  openHeadForReading,
  openHeadForWriting,
} from "../../src/head/head-file.ts";
import { Pruner } from "../../src/head/pruner.ts";
import {
  reclaimableVersion,
  type Reclaimed,
  Reclaimer,
  type ReclaimOptions,
} from "../../src/head/reclaimer.ts";
import { Lease } from "../../src/manifest/lease.ts";
import { manifestVersion } from "../../src/manifest/manifest.ts";
import { retentionPolicySchema } from "@sluice/retention";
import { Folder } from "../folder.ts";
import { linesFrame, messageOf } from "../frames.ts";
import { addSegment, fillHead } from "../manifest-rows.ts";

const MIB = 1024 * 1024;
const ALL: ReclaimOptions = { removedUpTo: Number.MAX_SAFE_INTEGER, keepFreeBytes: 0 };
const VISIBILITY = { policy: retentionPolicySchema.parse({}), cutoffs: {} };

let folder: Folder;
let path: string;
let db: HeadDatabase;

beforeEach(() => {
  folder = new Folder();
  path = folder.at("head.db");
  db = openHeadForWriting(path);
});

afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

/** Takes them out of the manifest; returns the version that does not see them any more. */
function remove(batchIds: readonly number[], segmentIds: readonly number[] = []): number {
  new Pruner(db).run({ visibility: VISIBILITY, batchIds, segmentIds });
  return manifestVersion(db);
}

function reclaim(options: ReclaimOptions): Reclaimed {
  const steps = new Reclaimer(db).run(options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
  }
}

function storedIds(): unknown[] {
  const reader = openHeadForReading(path);
  const ids = reader.prepare("SELECT id FROM batches ORDER BY id").pluck().all();
  reader.close();
  return ids;
}

describe("reclaiming", () => {
  it("deletes 16 MiB at a time, and commits of agents go on in between", () => {
    const ids = fillHead(db, 40, MIB);
    remove(ids);
    const committer = new Committer(db);
    const agent = { agentId: "b", host: "h", version: "1", labels: {} };
    committer.commit([{ kind: "introduce", id: 1, agent }], 1);
    const opening = { source: "t", generation: 1, initialCursor: Buffer.alloc(0), labels: {} };
    const openings = [{ stream: 0, ...opening }];
    committer.commit([{ kind: "open", id: 2, connection: 1, agent: 2, host: "h", openings }], 1);
    const steps = new Reclaimer(db).run(ALL);
    const left: number[] = [];
    let ordinal = 0;
    while (steps.next().done !== true) {
      left.push(storedIds().filter((id) => ids.includes(id as number)).length);
      const message = messageOf(linesFrame({ epoch: 1, ordinal, firstSeq: ordinal }, "meanwhile"));
      const [reply] = committer.commit([prepare({ kind: "append", connection: 1, message })], 1);
      expect(reply?.kind === "committed" && reply.report.frames[0]?.outcome.kind).toBe("accepted");
      ordinal += 1;
    }
    expect(left.slice(0, 3)).toEqual([24, 8, 0]);
    // The pages follow in slices as well.
    expect(left.length).toBeGreaterThanOrEqual(6);
    expect(storedIds()).toHaveLength(ordinal);
  });

  it("gives the space back, which shows when the log is folded in", () => {
    const ids = fillHead(db, 24, MIB);
    db.pragma("wal_checkpoint(TRUNCATE)");
    const before = statSync(path).size;
    remove(ids.slice(4));
    expect(reclaim(ALL)).toEqual({
      batches: 20,
      payloadBytes: 20 * MIB,
      hasReturnedPages: true,
      segments: [],
    });
    db.pragma("wal_checkpoint(TRUNCATE)");
    const after = statSync(path).size + statSync(`${path}-wal`).size;
    expect(before).toBeGreaterThan(24 * MIB);
    expect(after).toBeLessThan(5 * MIB);
    expect(db.pragma("freelist_count", { simple: true })).toBe(0);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  });

  it("keeps as many free pages as it is told", () => {
    remove(fillHead(db, 8, MIB));
    expect(reclaim({ ...ALL, keepFreeBytes: 6 * MIB })).toMatchObject({ hasReturnedPages: true });
    const free = Number(db.pragma("freelist_count", { simple: true })) * 4096;
    expect(free).toBeGreaterThan(5 * MIB);
    expect(free).toBeLessThanOrEqual(6 * MIB);
    const again = reclaim({ ...ALL, keepFreeBytes: 6 * MIB });
    expect(again).toMatchObject({ hasReturnedPages: false });
  });

  it("takes what was removed up to a version, and leaves the rest", () => {
    const ids = fillHead(db, 3, 1000);
    const segment = addSegment(db, { path: "segments/a.db" });
    const first = remove(ids.slice(0, 1));
    const second = remove(ids.slice(1, 2), [segment]);
    expect(reclaim({ ...ALL, removedUpTo: first - 1 })).toMatchObject({ batches: 0, segments: [] });
    expect(reclaim({ ...ALL, removedUpTo: first })).toMatchObject({ batches: 1, segments: [] });
    expect(storedIds()).toEqual(ids.slice(1));
    expect(reclaim({ ...ALL, removedUpTo: second })).toMatchObject({
      batches: 1,
      segments: [{ id: segment, path: "segments/a.db" }],
    });
    expect(storedIds()).toEqual(ids.slice(2));
  });

  it("names a removed segment until it is forgotten, and then no more", () => {
    const segment = addSegment(db, { path: "segments/a.db" });
    remove([], [segment]);
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(reclaim(ALL).segments).toEqual([{ id: segment, path: "segments/a.db" }]);
    }
    new Reclaimer(db).forget([segment]);
    expect(reclaim(ALL).segments).toEqual([]);
    expect(db.prepare("SELECT count(*) FROM segment_streams").pluck().get()).toBe(0);
  });

  it("goes on where a crash has ended it between two slices", () => {
    const ids = fillHead(db, 40, MIB);
    remove(ids);
    new Reclaimer(db).run(ALL).next();
    db.close();
    db = openHeadForWriting(path);
    expect(reclaim(ALL)).toMatchObject({ batches: 24, payloadBytes: 24 * MIB });
    expect(db.prepare("SELECT count(*) FROM batch_removals").pluck().get()).toBe(0);
  });

  it("never gives a removed batch's id to another", () => {
    remove(fillHead(db, 3, 10));
    reclaim(ALL);
    expect(fillHead(db, 1, 10)).toEqual([4]);
  });

  it("does not hold commits up while another process reads an old state", () => {
    remove(fillHead(db, 4, 100_000));
    const reader = openHeadForReading(path);
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM batches").get();
    const startedMs = performance.now();
    reclaim(ALL);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    reader.exec("COMMIT");
    reader.close();
  });
});

describe("what can be reclaimed", () => {
  it("is what was removed by now, where nobody holds a lease", () => {
    const version = remove(fillHead(db, 2, 10));
    expect(reclaimableVersion(db, folder.path, 0)).toBe(version);
  });

  it("is not what is removed after the leases were looked at: whoever reads it took one since", () => {
    const [first = 0, second = 0] = fillHead(db, 2, 10);
    remove([first]);
    const removedUpTo = reclaimableVersion(db, folder.path, 0);
    using _reader = Lease.take(folder.path, manifestVersion(db), 10);
    remove([second]);
    expect(reclaim({ removedUpTo, keepFreeBytes: 0 })).toMatchObject({ batches: 1 });
    expect(storedIds()).toEqual([second]);
  });

  it("ends where the oldest lease begins, until it is given back or its time has run out", () => {
    const ids = fillHead(db, 3, 10);
    const first = remove(ids.slice(0, 1));
    const lease = Lease.take(folder.path, first, 1_000);
    using _later = Lease.take(folder.path, remove(ids.slice(1, 2)), 1_000);
    const last = remove(ids.slice(2));
    expect(reclaimableVersion(db, folder.path, 1_000)).toBe(first);
    lease[Symbol.dispose]();
    expect(reclaimableVersion(db, folder.path, 1_000)).toBe(first + 1);
    expect(reclaimableVersion(db, folder.path, 1_001)).toBe(last);
  });
});
