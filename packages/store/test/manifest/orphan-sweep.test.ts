import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type HeadDatabase, openHeadForWriting } from "../../src/head/head-file.ts";
import { sweepSegments } from "../../src/manifest/orphan-sweep.ts";
import { listSegmentFiles } from "../../src/manifest/segment-folder.ts";
import { announceSegments, applySwap } from "../../src/manifest/swap.ts";
import { Folder } from "../folder.ts";
import { addSegment } from "../manifest-rows.ts";

const DAY = "segments/default/2026-11-26";
const NOTHING = { unfinished: [], unlinked: [], quarantined: [], missing: [] };

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

function write(path: string, text = path): string {
  mkdirSync(dirname(folder.at(path)), { recursive: true });
  writeFileSync(folder.at(path), text);
  return path;
}

function remove(segment: number): void {
  applySwap(db, {
    add: [],
    removeBatches: [],
    removeSegments: [segment],
    removed: [],
    deletesSeen: undefined,
    job: undefined,
  });
}

describe("the sweep at start", () => {
  it("finds nothing in a folder that has no segments yet", () => {
    expect(sweepSegments(db, folder.path)).toEqual(NOTHING);
  });

  it("leaves the segments of the manifest alone", () => {
    const path = write(`${DAY}/a.db`);
    addSegment(db, { path });
    expect(sweepSegments(db, folder.path)).toEqual(NOTHING);
    expect(listSegmentFiles(folder.path)).toEqual([path]);
  });

  it("unlinks what a crash has left unfinished, and what was announced and came to no swap", () => {
    const unfinished = write(`${DAY}/a.db.tmp`);
    const announced = write(`${DAY}/b.db`);
    announceSegments(db, [announced, `${DAY}/never-written.db`]);
    expect(sweepSegments(db, folder.path)).toEqual({
      ...NOTHING,
      unfinished: [unfinished, announced],
    });
    expect(listSegmentFiles(folder.path)).toEqual([]);
    expect(db.prepare("SELECT count(*) FROM announced_segments").pluck().get()).toBe(0);
  });

  it("unlinks what the manifest has removed, and forgets it", () => {
    const path = write(`${DAY}/a.db`);
    remove(addSegment(db, { path }));
    remove(addSegment(db, { path: `${DAY}/unlinked-before-the-crash.db` }));
    expect(sweepSegments(db, folder.path)).toEqual({ ...NOTHING, unlinked: [path] });
    expect(listSegmentFiles(folder.path)).toEqual([]);
    expect(db.prepare("SELECT count(*) FROM segments").pluck().get()).toBe(0);
    expect(db.prepare("SELECT count(*) FROM segment_streams").pluck().get()).toBe(0);
  });

  it("puts aside whatever it does not know, whole", () => {
    write(`${DAY}/stranger.db`, "somebody's logs");
    const { quarantined, ...others } = sweepSegments(db, folder.path);
    expect(others).toMatchObject({ unfinished: [], unlinked: [], missing: [] });
    expect(quarantined).toEqual(["quarantine/segments_default_2026-11-26_stranger.db"]);
    expect(readFileSync(folder.at(quarantined[0] ?? ""), "utf8")).toBe("somebody's logs");
    expect(listSegmentFiles(folder.path)).toEqual([]);
  });

  it("keeps both where one of the same name was put aside before", () => {
    for (const text of ["older", "newer"]) {
      write(`${DAY}/stranger.db`, text);
      sweepSegments(db, folder.path);
    }
    const names = readdirSync(folder.at("quarantine"));
    const texts = names.map((name) => readFileSync(folder.at(`quarantine/${name}`), "utf8"));
    expect(texts.toSorted()).toEqual(["newer", "older"]);
  });

  it("names what is missing, and keeps it in the manifest", () => {
    const path = `${DAY}/missing.db`;
    addSegment(db, { path });
    for (let start = 0; start < 2; start++) {
      expect(sweepSegments(db, folder.path)).toEqual({ ...NOTHING, missing: [path] });
    }
  });

  it("does not touch what lies elsewhere in the data folder", () => {
    write("other.db.tmp");
    write("quarantine/a.db.tmp");
    expect(sweepSegments(db, folder.path)).toEqual(NOTHING);
    expect(existsSync(folder.at("other.db.tmp"))).toBe(true);
  });
});
