import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { retentionPolicySchema } from "@sluice/retention";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { LogKeeper } from "../log-keeper.ts";
import { StoredLog } from "../stored-log.ts";

const STREAM = { agentId: "a-1", source: "/var/log/syslog", generation: 1 };

let log: StoredLog;
let keeper: LogKeeper;

/** Two segments of one record each, and a batch: `first`, `second` and `third`. */
beforeEach(async () => {
  log = new StoredLog();
  keeper = new LogKeeper(log);
  for (const body of ["first word", "second word"]) {
    log.append(STREAM, [{ body, timeUs: log.records.length }]);
    await keeper.compact();
  }
  log.append(STREAM, [{ body: "third word", timeUs: 2 }]);
});

afterEach(() => log[Symbol.dispose]());

function firstFile(): string {
  return join(log.dataDir, keeper.segments[0]?.path ?? "");
}

/** As it would be found by a process that has not opened it yet. */
function answer(query = "word") {
  log.reopen();
  const { text, summary } = log.search({ query });
  const bodies = [...text.matchAll(/"body":"(\w+)/g)].map(([, word]) => word);
  return { bodies, damaged: summary.damaged };
}

const ALL_VISIBLE = {
  visibility: { policy: retentionPolicySchema.parse({}), cutoffs: {} },
};

const REST = { bodies: ["second", "third"], damaged: 1 };

describe("a search", () => {
  it.each<[string, () => void]>([
    ["is missing", () => rmSync(firstFile())],
    ["is no database", () => writeFileSync(firstFile(), "x".repeat(50_000))],
    ["was cut", () => truncateSync(firstFile(), 16_384)],
    ["is of a newer version", () => sql("PRAGMA user_version = 99")],
    ["lists no runs", () => sql("DELETE FROM runs")],
    ["lacks its blocks", () => sql("DELETE FROM blocks")],
    ["lacks the content of a block", () => sql("UPDATE blocks SET content = x''")],
    ["lacks the index of a block", () => sql("UPDATE blocks SET idx = x'00'")],
  ])("answers from the others where a segment %s, and says so", (_what, damage) => {
    damage();
    expect(answer()).toEqual(REST);
    expect(answer("* | stats count() by word")).toMatchObject({ damaged: 1 });
  });

  it.each<[string, () => void]>([
    ["its directory", () => sql("UPDATE meta SET value = x'00' WHERE key = 'filter'")],
    ["its buckets", () => sql("DELETE FROM filter_buckets")],
    ["what a bucket says", () => sql("UPDATE filter_buckets SET bytes = x'ff'")],
    ["the ways of writing times", () => sql("DELETE FROM meta WHERE key = 'layouts'")],
  ])("finds what there is though a token filter lacks %s", (_what, damage) => {
    damage();
    expect(answer()).toEqual({ bodies: ["first", "second", "third"], damaged: 0 });
    expect(answer("first")).toEqual({ bodies: ["first"], damaged: 0 });
  });

  it("plans anew where a segment was merged away since its manifest was read", async () => {
    const [entry] = keeper.segments;
    const pages = log.pages({ query: "word" });
    await keeper.merge(keeper.segments.map(({ id }) => id));
    keeper.reclaim();
    // The generator has not begun: it plans now, and sees the merged one.
    expect(pages.next().value).toContain("first word");
    expect(existsSync(join(log.dataDir, entry?.path ?? ""))).toBe(false);
  });

  it("says that a page has expired where what it saw went when the collector was started anew", async () => {
    const { nextPage: page } = log.search({ query: "word", limit: 1 }).summary;
    await keeper.merge(keeper.segments.map(({ id }) => id));
    keeper.start();
    expect(() => log.search({ query: "word", limit: 1, page })).toThrow(/has expired/);
  });

  it("goes on with a page though the collector was started anew, where nothing went", () => {
    const { nextPage: page } = log.search({ query: "word", limit: 1 }).summary;
    keeper.start();
    expect(log.search({ query: "word", limit: 1, page }).text).toContain("second word");
  });

  it("says that a page has expired where what it saw was reclaimed without regard to it", async () => {
    const { nextPage: page } = log.search({ query: "word", limit: 1 }).summary;
    await keeper.compact();
    keeper.reclaim();
    expect(() => log.search({ query: "word", limit: 1, page })).toThrow(/has expired/);
  });
});

describe("a merge", () => {
  it("leaves out a block that cannot be read, counts it, and keeps a copy of its segment", async () => {
    const path = firstFile();
    const whole = readFileSync(path);
    sql("UPDATE blocks SET content = x''");
    await keeper.merge(keeper.segments.map(({ id }) => id));
    expect(answer()).toEqual({ bodies: ["second", "third"], damaged: 0 });
    expect(keeper.findings()).toEqual([]);
    expect(keeper.quarantined).toHaveLength(1);
    const [kept = ""] = (keeper.quarantined[0] ?? "").split(": ");
    keeper.reclaim();
    expect(readFileSync(join(log.dataDir, kept)).length).toBe(whole.length);
  });

  it.each<[string, () => void]>([
    ["is missing", () => rmSync(firstFile())],
    ["is no database", () => writeFileSync(firstFile(), "x".repeat(50_000))],
    ["lists its runs in damaged pages", () => overwrite("runs")],
  ])("does not touch anything where a segment %s, and says so", async (_what, damage) => {
    damage();
    const before = keeper.segments;
    expect(await keeper.merge(before.map(({ id }) => id))).toBeUndefined();
    expect(keeper.segments).toEqual(before);
    expect(keeper.unreadable).toEqual([before[0]?.path]);
  });

  it("says nothing where its input was merged and unlinked just before", async () => {
    const ids = keeper.segments.map(({ id }) => id);
    const merged = keeper.merge(ids, {
      happen: (at) => {
        if (at === 1) {
          keeper.prune({ ...ALL_VISIBLE, batchIds: [], segmentIds: ids });
          keeper.reclaim();
        }
      },
    });
    expect(await merged).toBeUndefined();
    expect(keeper.unreadable).toEqual([]);
    expect(keeper.findings()).toEqual([]);
  });
});

describe("taking deleted records out of the files", () => {
  it("does not fail on a segment that is missing", async () => {
    keeper.delete({ query: "second" });
    renameSync(firstFile(), `${firstFile()}.elsewhere`);
    await keeper.removeDeleted();
    expect(answer()).toEqual({ bodies: ["third"], damaged: 1 });
    expect(log.db.prepare("SELECT done_version FROM deletes").pluck().get()).not.toBeNull();
  });
});

function sql(text: string): void {
  const db = new Database(firstFile());
  db.exec(text);
  db.close();
}

/** Overwrites the root page of a table. */
function overwrite(table: string): void {
  const db = new Database(firstFile(), { readonly: true });
  const page = Number(
    db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").pluck().get(table),
  );
  const bytes = Number(db.pragma("page_size", { simple: true }));
  db.close();
  const file = openSync(firstFile(), "r+");
  writeSync(file, Buffer.alloc(bytes, 0xee), 0, bytes, (page - 1) * bytes);
  closeSync(file);
}
