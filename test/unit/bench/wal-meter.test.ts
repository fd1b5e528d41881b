import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WalMeter } from "../../src/bench/wal-meter.ts";

let folder: string;
let db: Database.Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-wal-meter-"));
  db = new Database(join(folder, "a.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("wal_autocheckpoint = 0");
  db.exec("CREATE TABLE rows (body BLOB)");
});

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const WAL_HEADER_BYTES = 32;

test("what is written to the WAL is counted, also when it starts over", () => {
  using meter = new WalMeter(join(folder, "a.db"));
  const insert = db.prepare("INSERT INTO rows VALUES (zeroblob(?))");
  const walBytes = (): number => statSync(join(folder, "a.db-wal")).size;
  expect(meter.look()).toBe(0);
  const before = walBytes();
  insert.run(100_000);
  const first = walBytes() - before;
  expect(meter.look()).toBe(first);

  db.pragma("wal_checkpoint(TRUNCATE)");
  meter.look();
  insert.run(50_000);
  const second = walBytes() - WAL_HEADER_BYTES;
  expect(second).toBeGreaterThan(50_000);
  expect(meter.look()).toBe(first + second);
});
