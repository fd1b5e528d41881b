import { afterEach, beforeEach, expect, test } from "vitest";

import { type HeadDatabase, openHeadForWriting } from "../../src/head/head-file.ts";
import { recordJob } from "../../src/manifest/swap.ts";
import { Folder } from "../folder.ts";

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

function record(kind: string, count: number): void {
  db.transaction(() => {
    for (let startedUs = 1; startedUs <= count; startedUs++) {
      recordJob(db, { kind, dueUs: 0, startedUs, tookMs: 0, outcome: {}, detail: "" });
    }
  })();
}

function kept(kind: string): unknown {
  return db
    .prepare("SELECT count(*) AS jobs, min(started_us) AS first FROM jobs WHERE kind = ?")
    .get(kind);
}

test("of compactions the last thousand are kept, and other kinds do not suffer from them", () => {
  record("prune", 3);
  record("compact", 1_002);
  record("merge", 2);
  expect(kept("compact")).toEqual({ jobs: 1_000, first: 3 });
  expect(kept("prune")).toEqual({ jobs: 3, first: 1 });
  expect(kept("merge")).toEqual({ jobs: 2, first: 1 });
});

test("what an operator may have to answer for is kept longer", () => {
  record("prune", 1_002);
  expect(kept("prune")).toEqual({ jobs: 1_002, first: 1 });
});
