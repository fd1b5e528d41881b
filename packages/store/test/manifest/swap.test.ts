import { retentionPolicySchema } from "@sluice/retention";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Committer } from "../../src/head/committer.ts";
import { DeleteIssuer } from "../../src/head/delete-issuer.ts";
import { type HeadDatabase, openHeadForWriting } from "../../src/head/head-file.ts";
import { Pruner } from "../../src/head/pruner.ts";
import { Reclaimer } from "../../src/head/reclaimer.ts";
import {
  BatchRemovals,
  isLiveSegment,
  manifestVersion,
  segmentsAt,
  streamsOfSegment,
} from "../../src/manifest/manifest.ts";
import { announceSegments, applySwap, type Swap } from "../../src/manifest/swap.ts";
import { activeDeletes } from "../../src/manifest/visibility.ts";
import { Folder } from "../folder.ts";
import { addSegment, addStream, fillHead, newSegment, removedRecords } from "../manifest-rows.ts";

const NOTHING: Swap = {
  add: [],
  removeBatches: [],
  removeSegments: [],
  removed: [],
  deletesSeen: undefined,
  job: undefined,
};
const JOB = { kind: "compact", dueUs: 1, startedUs: 2, tookMs: 3.4, outcome: { a: 1 }, detail: "" };

let folder: Folder;
let db: HeadDatabase;

beforeEach(() => {
  folder = new Folder();
  db = openHeadForWriting(folder.at("head.db"));
});

afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

function issueDelete(): number {
  const order = { query: "secret", fromUs: undefined, untilUs: undefined, issuedUs: 1 };
  return new DeleteIssuer(db, new Committer(db)).issue(order).id;
}

/** All that a swap may change. */
function contents(): unknown {
  return ["meta", "segments", "segment_streams", "batch_removals", "announced_segments", "deletes"]
    .concat("jobs", "streams")
    .map((table) => db.prepare(`SELECT * FROM ${table}`).all());
}

describe("a swap", () => {
  it("puts what comes in and what goes out into one version", () => {
    const [first = 0, second = 0, third = 0] = fillHead(db, 3, 10);
    const old = addSegment(db, { path: "segments/old.db" });
    announceSegments(db, ["segments/new.db", "segments/other.db"]);
    const before = manifestVersion(db);
    const result = applySwap(db, {
      ...NOTHING,
      add: [newSegment({ path: "segments/new.db", records: 3 })],
      removeBatches: [[first, second]],
      removeSegments: [old],
      removed: [{ streamId: 1, records: 4 }],
      job: JOB,
    });
    expect(result).toEqual({ ok: true, version: before + 1 });
    expect(segmentsAt(db, before).map(({ path }) => path)).toEqual(["segments/old.db"]);
    const [added] = segmentsAt(db, before + 1);
    expect(added).toMatchObject({ path: "segments/new.db", records: 3 });
    expect(streamsOfSegment(db, added?.id ?? 0)).toMatchObject([{ streamId: 1, records: 3 }]);
    const removals = new BatchRemovals(db, before + 1);
    expect([first, second, third].map((id) => removals.has(id))).toEqual([true, true, false]);
    expect(new BatchRemovals(db, before).has(first)).toBe(false);
    expect(isLiveSegment(db, old)).toBe(false);
    expect(removedRecords(db)).toBe(4);
    expect(db.prepare("SELECT path FROM announced_segments").pluck().all()).toEqual([
      "segments/other.db",
    ]);
    expect(db.prepare("SELECT kind, took_ms, outcome FROM jobs").get()).toEqual({
      kind: "compact",
      took_ms: 3,
      outcome: '{"a":1}',
    });
  });

  it("counts a version up also where it adds nothing", () => {
    expect(applySwap(db, NOTHING)).toEqual({ ok: true, version: 1 });
    expect(applySwap(db, NOTHING)).toEqual({ ok: true, version: 2 });
  });

  it("finishes the deletes that it has carried out, from its version on", () => {
    const id = issueDelete();
    const before = manifestVersion(db);
    applySwap(db, { ...NOTHING, deletesSeen: id, deletesDone: [id] });
    expect(activeDeletes(db, before).map((one) => one.id)).toEqual([id]);
    expect(activeDeletes(db, before + 1)).toEqual([]);
  });
});

describe("a swap is refused, and changes nothing,", () => {
  const add = [newSegment({ path: "segments/new.db" })];

  it("where a segment of its input was removed", () => {
    const old = addSegment(db, { path: "segments/old.db" });
    applySwap(db, { ...NOTHING, removeSegments: [old] });
    expectRefused({ ...NOTHING, add, removeSegments: [old], job: JOB }, "input-removed");
  });

  it("where a segment of its input was removed and forgotten", () => {
    const old = addSegment(db, { path: "segments/old.db" });
    applySwap(db, { ...NOTHING, removeSegments: [old] });
    new Reclaimer(db).forget([old]);
    expectRefused({ ...NOTHING, add, removeSegments: [old] }, "input-removed");
  });

  it.each([
    ["the first", 0],
    ["one in the middle", 1],
    ["the last", 2],
  ])("where %s of its batches was pruned", (_which, at) => {
    const ids = fillHead(db, 3, 10);
    prune(ids[at] as number);
    expectRefused(
      { ...NOTHING, add, removeBatches: [[ids[0] ?? 0, ids[2] ?? 0]] },
      "input-removed",
    );
  });

  it("where one of its batches was pruned and then deleted for good", () => {
    const ids = fillHead(db, 3, 10);
    prune(ids[1] as number);
    const reclaim = new Reclaimer(db).run({ removedUpTo: manifestVersion(db), keepFreeBytes: 0 });
    while (reclaim.next().done !== true) {
      // to its end
    }
    expect(db.prepare("SELECT count(*) FROM batch_removals").pluck().get()).toBe(0);
    expectRefused(
      { ...NOTHING, add, removeBatches: [[ids[0] ?? 0, ids[2] ?? 0]] },
      "input-removed",
    );
  });

  it("where its batches were compacted by another", () => {
    const ids = fillHead(db, 4, 10);
    applySwap(db, { ...NOTHING, removeBatches: [[ids[1] ?? 0, ids[2] ?? 0]] });
    expectRefused(
      { ...NOTHING, add, removeBatches: [[ids[0] ?? 0, ids[3] ?? 0]] },
      "input-removed",
    );
    expect(applySwap(db, { ...NOTHING, removeBatches: [[ids[3] ?? 0, ids[3] ?? 0]] }).ok).toBe(
      true,
    );
  });

  it("where a delete was issued since its job began", () => {
    addStream(db);
    const seen = issueDelete();
    issueDelete();
    expectRefused({ ...NOTHING, add, deletesSeen: seen }, "delete-issued");
    expect(applySwap(db, { ...NOTHING, add, deletesSeen: seen + 1 }).ok).toBe(true);
  });

  function prune(batch: number): void {
    const visibility = { policy: retentionPolicySchema.parse({}), cutoffs: {} };
    new Pruner(db).run({
      visibility,
      batchIds: [batch],
      segmentIds: [],
    });
  }

  function expectRefused(swap: Swap, reason: string): void {
    const before = contents();
    expect(applySwap(db, swap)).toEqual({ ok: false, reason });
    expect(contents()).toEqual(before);
  }
});
