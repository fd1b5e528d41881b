import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { StoreError } from "../../src/errors.ts";
import { openStoreReader } from "../../src/head-reader.ts";
import { openHeadForReading, openHeadForWriting } from "../../src/head/head-file.ts";
import { HEAD_APPLICATION_ID, HEAD_SCHEMA_VERSION } from "../../src/head/schema.ts";
import { Store } from "../../src/store.ts";
import { Folder } from "../folder.ts";
import { linesFrame } from "../frames.ts";
import { requestOf, rowsOf } from "../stored-log.ts";

/** `head.db` as version 1 made it. */
const VERSION_1 = `
PRAGMA page_size = 4096;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE agents (
  id            INTEGER PRIMARY KEY,
  agent_id      TEXT NOT NULL UNIQUE,
  host          TEXT NOT NULL,
  version       TEXT NOT NULL,
  labels        TEXT NOT NULL,
  first_seen_us INTEGER NOT NULL,
  last_seen_us  INTEGER NOT NULL
) STRICT;
CREATE TABLE streams (
  id               INTEGER PRIMARY KEY,
  agent            INTEGER NOT NULL REFERENCES agents (id),
  source           TEXT NOT NULL,
  generation       INTEGER NOT NULL,
  host             TEXT NOT NULL,
  labels           TEXT NOT NULL,
  epoch            INTEGER NOT NULL,
  ordinal          INTEGER NOT NULL,
  next_seq         INTEGER NOT NULL,
  cursor           BLOB NOT NULL,
  finished         INTEGER NOT NULL DEFAULT 0,
  records          INTEGER NOT NULL DEFAULT 0,
  body_bytes       INTEGER NOT NULL DEFAULT 0,
  filtered_records INTEGER NOT NULL DEFAULT 0,
  filtered_bytes   INTEGER NOT NULL DEFAULT 0,
  gaps             INTEGER NOT NULL DEFAULT 0,
  last_time_us     INTEGER,
  last_received_us INTEGER,
  UNIQUE (agent, source, generation)
) STRICT;
CREATE TABLE batches (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  stream      INTEGER NOT NULL REFERENCES streams (id),
  first_seq   INTEGER NOT NULL,
  count       INTEGER NOT NULL,
  min_time_us INTEGER NOT NULL,
  max_time_us INTEGER NOT NULL,
  received_us INTEGER NOT NULL,
  severities  INTEGER NOT NULL,
  body_bytes  INTEGER NOT NULL,
  raw_bytes   INTEGER NOT NULL,
  removed     INTEGER,
  payload     BLOB NOT NULL
) STRICT;
CREATE TABLE gaps (
  id          INTEGER PRIMARY KEY,
  stream      INTEGER NOT NULL REFERENCES streams (id),
  seq         INTEGER NOT NULL,
  cause       TEXT NOT NULL,
  range       TEXT NOT NULL,
  detail      TEXT NOT NULL,
  received_us INTEGER NOT NULL
) STRICT;
CREATE TABLE jobs (
  id          INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL,
  due_us      INTEGER NOT NULL,
  started_us  INTEGER NOT NULL,
  took_ms     INTEGER NOT NULL,
  outcome     TEXT NOT NULL,
  detail      TEXT NOT NULL
) STRICT;
PRAGMA application_id = ${HEAD_APPLICATION_ID};
PRAGMA user_version = 1;
INSERT INTO meta VALUES ('store_id', '6f1f0f0e-0000-4000-8000-000000000001'),
  ('visibility', '{"policy":{"keep":"30d","rules":[]},"cutoffs":{}}');
INSERT INTO agents VALUES (4, 'a-1', 'web-1', '1.0.0', '{"env":"prod"}', 10, 20);
INSERT INTO streams VALUES (9, 4, '/log/1', 1, 'web-1', '{"env":"prod"}', 3, 2, 6, x'6331', 0, 4, 12, 1, 2, 1, 3, 5000);
INSERT INTO gaps VALUES (1, 9, 4, 'truncated', '"unknown"', 'cut', 5000);
INSERT INTO jobs VALUES (1, 'prune', 1, 2, 3, '{"batches":1,"payloadBytes":10}', 'by age');
`;

const LINES = ["one", "two", "three", "four"];

let folder: Folder;
let path: string;

beforeEach(() => {
  folder = new Folder();
  path = folder.at("head.db");
});

afterEach(() => folder[Symbol.dispose]());

function writeVersion1(): void {
  const db = new Database(path);
  db.exec(VERSION_1);
  const insert = db.prepare(
    `INSERT INTO batches (id, stream, first_seq, count, min_time_us, max_time_us, received_us, severities, body_bytes, raw_bytes, payload)
     VALUES (?, 9, ?, 2, 0, 1, 5000, 1, ?, ?, ?)`,
  );
  [LINES.slice(0, 2), LINES.slice(2)].forEach((lines, i) => {
    const { rawBytes, payload } = linesFrame({ epoch: 1, ordinal: i, firstSeq: 2 * i }, ...lines);
    insert.run(7 + i, 2 * i, lines.join("").length + 2, rawBytes, payload);
  });
  db.close();
}

async function bodies(): Promise<string[]> {
  await using reader = openStoreReader(folder.path);
  const run = reader.search(requestOf({ order: "stream" }), new AbortController().signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of run) {
    chunks.push(chunk);
  }
  return rowsOf<{ body: string }>(Buffer.concat(chunks).toString()).map(({ body }) => body);
}

function openStore(): Promise<Store> {
  return Store.open(folder.path, {
    committed: () => undefined,
    failed: (error) => expect.unreachable(error.message),
    full: () => undefined,
    noticed: (notice) => expect.unreachable(notice.kind),
  });
}

describe("a head of version 1", () => {
  it("is brought forward when it is opened for writing, and nothing of it is lost", async () => {
    writeVersion1();
    await using store = await openStore();
    expect(store.storeId).toBe("6f1f0f0e-0000-4000-8000-000000000001");
    expect(store.highWater).toBe(8);
    await using reader = openStoreReader(folder.path);
    expect(reader.agents()).toMatchObject([{ agentId: "a-1", firstSeenUs: 10 }]);
    expect(reader.gaps()).toMatchObject([
      { source: "/log/1", seq: 4, cause: "truncated", noticedUs: undefined, records: 0 },
    ]);
    expect(reader.streams()).toMatchObject([{ filteredRecords: 1, filteredBytes: 2 }]);
    expect(reader.jobs()).toMatchObject([{ kind: "prune", detail: "by age" }]);
    expect(reader.stats()).toMatchObject({ batches: 2, segments: 0, records: 4 });
    expect(await bodies()).toEqual(LINES);
    const agent = { agentId: "a-1", host: "web-1", version: "1.0.0", labels: {} };
    expect((await store.introduce(agent)).unfinished).toMatchObject([{ nextSeq: 6 }]);
  });

  it("is compacted like any other", async () => {
    writeVersion1();
    await using store = await openStore();
    await store.compact();
    await using reader = openStoreReader(folder.path);
    expect(reader.stats()).toMatchObject({ batches: 0, segments: 1, records: 4 });
    expect(await bodies()).toEqual(LINES);
  });

  it("is brought forward once", () => {
    writeVersion1();
    openHeadForWriting(path).close();
    openHeadForWriting(path).close();
    const db = openHeadForReading(path);
    expect(db.pragma("user_version", { simple: true })).toBe(HEAD_SCHEMA_VERSION);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
  });

  it("is as it was where bringing it forward fails on the way", () => {
    writeVersion1();
    const db = new Database(path);
    db.exec("CREATE TABLE deletes (of TEXT)"); // in the way of a later statement
    db.close();
    expect(() => openHeadForWriting(path)).toThrow(/deletes/);
    const after = new Database(path);
    expect(after.pragma("user_version", { simple: true })).toBe(1);
    expect(after.prepare("SELECT * FROM streams").columns()).toHaveLength(18);
    after.close();
  });

  it("is refused by a reader, which changes nothing, until then", () => {
    writeVersion1();
    const before = readFileSync(path);
    let error: unknown;
    try {
      openHeadForReading(path);
    } catch (reason) {
      error = reason;
    }
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({
      code: "data-older",
      message: expect.stringContaining(path),
      advice: expect.stringContaining("sluice serve"),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("has the same tables in the end as a new one", () => {
    writeVersion1();
    openHeadForWriting(path).close();
    const fresh = folder.at("fresh.db");
    openHeadForWriting(fresh).close();
    expect(tablesOf(path)).toEqual(tablesOf(fresh));
  });
});

/** Columns of each table, without the one that version 1 had and nobody uses. */
function tablesOf(file: string): unknown {
  const db = openHeadForReading(file);
  const names = db
    .prepare("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
    .all() as { type: string; name: string }[];
  const tables = names.map(({ type, name }) => [
    type,
    name,
    (db.pragma(`table_info(${name})`) as { name: string; type: string; notnull: number }[])
      .filter((column) => column.name !== "removed" || name === "segments")
      .map((column) => `${column.name} ${column.type} ${column.notnull}`),
  ]);
  db.close();
  return tables;
}
