import type { TimeUs } from "@sluice/quantity";
import { retentionPolicySchema } from "@sluice/retention";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type HeadDatabase, openHeadForWriting } from "../../src/head/head-file.ts";
import { type PruneOrder, Pruner, rangesOf } from "../../src/head/pruner.ts";
import { BatchRemovals, manifestVersion, segmentsAt } from "../../src/manifest/manifest.ts";
import { Folder } from "../folder.ts";
import { addSegment, fillHead, removedRecords } from "../manifest-rows.ts";

const VISIBILITY = {
  policy: retentionPolicySchema.parse({ keep: "1h" }),
  cutoffs: { default: 123_456 as TimeUs },
};

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

function order(batchIds: readonly number[], segmentIds: readonly number[] = []): PruneOrder {
  return { visibility: VISIBILITY, batchIds, segmentIds };
}

/** Ids of the batches that a reader of a version sees. */
function batchesAt(version: number): unknown[] {
  const removals = new BatchRemovals(db, version);
  const ids = db.prepare("SELECT id FROM batches ORDER BY id").pluck().all() as number[];
  return ids.filter((id) => !removals.has(id));
}

describe("a prune", () => {
  it("hides what is past its time, also where it removes nothing", () => {
    expect(new Pruner(db).run(order([]))).toEqual({
      batches: 0,
      segments: 0,
      records: 0,
      bytes: 0,
    });
    const text = db.prepare("SELECT value FROM meta WHERE key = 'visibility'").pluck().get();
    expect(JSON.parse(String(text))).toEqual(VISIBILITY);
    expect(manifestVersion(db)).toBe(0);
  });

  it("takes batches and segments out of the next version, and leaves older ones as they are", () => {
    const [a, b, c] = fillHead(db, 3, 1000) as [number, number, number];
    const kept = addSegment(db, { path: "segments/kept.db", records: 5, bytes: 70 });
    const dropped = addSegment(db, { path: "segments/dropped.db", records: 7, bytes: 90 });
    const before = manifestVersion(db);
    expect(new Pruner(db).run(order([a, c], [dropped]))).toEqual({
      batches: 2,
      segments: 1,
      records: 9,
      bytes: 2090,
    });
    expect(manifestVersion(db)).toBe(before + 1);
    expect(batchesAt(before)).toEqual([a, b, c]);
    expect(batchesAt(before + 1)).toEqual([b]);
    expect(segmentsAt(db, before).map(({ id }) => id)).toEqual([kept, dropped]);
    expect(segmentsAt(db, before + 1).map(({ id }) => id)).toEqual([kept]);
  });

  it("counts what it removed by stream, once", () => {
    const ids = fillHead(db, 3, 1000);
    const segment = addSegment(db, { path: "segments/a.db", records: 7, bytes: 90 });
    const first = new Pruner(db).run(order(ids.slice(0, 1), [segment]));
    const second = new Pruner(db).run(order(ids, [segment]));
    expect(first).toMatchObject({ batches: 1, segments: 1, records: 8 });
    expect(second).toMatchObject({ batches: 2, segments: 0, records: 2 });
    expect(removedRecords(db)).toBe(10);
  });

  it("passes over what was never there", () => {
    expect(new Pruner(db).run(order([77], [88]))).toMatchObject({ batches: 0, segments: 0 });
    expect(removedRecords(db)).toBe(0);
  });
});

describe("ids as ranges", () => {
  it.each([
    [[], []],
    [[4], [[4, 4]]],
    [
      [3, 1, 2, 7, 9, 8],
      [
        [1, 3],
        [7, 9],
      ],
    ],
  ] as const)("%j are %j", (ids, ranges) => {
    expect(rangesOf(ids)).toEqual(ranges);
  });
});
