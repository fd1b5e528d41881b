import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { StoreError, type StoreErrorCode } from "../../src/errors.ts";
import {
  describeSqliteError,
  openHeadForReading,
  openHeadForWriting,
} from "../../src/head/head-file.ts";
import { HEAD_SCHEMA_VERSION } from "../../src/head/schema.ts";
import { Folder } from "../folder.ts";

let folder: Folder;
let path: string;

beforeEach(() => {
  folder = new Folder();
  path = folder.at("head.db");
});

afterEach(() => folder[Symbol.dispose]());

function create(): void {
  openHeadForWriting(path).close();
}

function alter(sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

function errorOf(open: () => unknown): StoreError {
  try {
    open();
  } catch (error) {
    if (error instanceof StoreError) {
      return error;
    }
    throw error;
  }
  throw new Error("it opened");
}

function expectRefused(open: (path: string) => unknown, code: StoreErrorCode): void {
  const before = readFileSync(path);
  const error = errorOf(() => open(path));
  expect(error.code).toBe(code);
  expect(error.message).toContain(path);
  expect(error.advice).not.toBe("");
  expect(readFileSync(path).equals(before)).toBe(true);
}

describe("the writing connection", () => {
  it("fsyncs each commit, checkpoints only when asked, and gives pages back", () => {
    const db = openHeadForWriting(path);
    const pragma = (name: string): unknown => db.pragma(name, { simple: true });
    expect(pragma("synchronous")).toBe(2);
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("wal_autocheckpoint")).toBe(0);
    expect(pragma("auto_vacuum")).toBe(2);
    expect(pragma("page_size")).toBe(4096);
    db.close();
  });

  it("fsyncs each commit also of a file that it did not create", () => {
    create();
    const db = openHeadForWriting(path);
    expect(db.pragma("synchronous", { simple: true })).toBe(2);
    db.close();
  });

  it("names the store once and for good", () => {
    create();
    const id = (): unknown => {
      const db = openHeadForReading(path);
      const value = db.prepare("SELECT value FROM meta WHERE key = 'store_id'").pluck().get();
      db.close();
      return value;
    };
    const first = id();
    create();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(id()).toBe(first);
  });
});

describe.each([
  ["writing", openHeadForWriting],
  ["reading", openHeadForReading],
] as const)("opening for %s", (_name, open) => {
  it("refuses a file of a newer version and leaves it as it is", () => {
    create();
    alter(`PRAGMA user_version = ${HEAD_SCHEMA_VERSION + 1}`);
    expectRefused(open, "data-newer");
  });

  it("refuses another program's database and leaves it as it is", () => {
    alter("PRAGMA journal_mode = WAL; CREATE TABLE customers (id INTEGER)");
    expectRefused(open, "data-foreign");
  });

  it("refuses what is no database", () => {
    writeFileSync(path, "Nov 22 08:00:00 web-1 sshd[1]: not a database\n".repeat(200));
    expectRefused(open, "data-corrupt");
  });

  it("refuses a file whose first page was overwritten", () => {
    create();
    flip(path, 0, 100);
    expectRefused(open, "data-corrupt");
  });

  it("refuses a file whose list of tables was overwritten", () => {
    create();
    flip(path, 100, 2000);
    expectRefused(open, "data-corrupt");
  });
});

describe("opening for reading", () => {
  it("says that there is nothing where there is no file, and makes none", () => {
    expect(errorOf(() => openHeadForReading(path)).code).toBe("data-missing");
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("does not take a folder that it cannot look into for one without data", () => {
    const loop = folder.at("loop");
    symlinkSync(loop, loop);
    const error = errorOf(() => openHeadForReading(join(loop, "head.db")));
    expect(error.code).toBe("data-unwritable");
    expect(error.message).toContain("ELOOP");
  });

  it("cannot write", () => {
    create();
    const db = openHeadForReading(path);
    expect(() => db.exec("DELETE FROM meta")).toThrow(/readonly/);
    db.close();
  });
});

describe("a folder that cannot be used", () => {
  it("is named where it is not there", () => {
    const gone = folder.at("gone/head.db");
    // better-sqlite3 looks for the folder itself, before SQLite does.
    expect(() => openHeadForWriting(gone)).toThrow(/directory does not exist/);
  });

  it("is named where it may not be written, which reading a WAL database needs", () => {
    const closed = folder.at("closed");
    mkdirSync(closed);
    path = `${closed}/head.db`;
    create();
    chmodSync(folder.path, 0o755);
    chmodSync(closed, 0o555);
    expect(codeAsNobody("openHeadForReading")).toBe("data-unwritable");
    expect(codeAsNobody("openHeadForWriting")).toBe("data-unwritable");
    chmodSync(closed, 0o755);
  });

  it.each([
    ["SQLITE_READONLY_DIRECTORY", "data-unwritable"],
    ["SQLITE_CANTOPEN", "data-unwritable"],
    ["SQLITE_CORRUPT_INDEX", "data-corrupt"],
    ["SQLITE_NOTADB", "data-corrupt"],
  ] as const)("is told from damage: %s is %s", (sqlite, code) => {
    const cause = new Database.SqliteError("as SQLite says it", sqlite);
    const error = describeSqliteError(cause, path) as StoreError;
    expect(error).toMatchObject({ code, cause });
    expect(error.message).toContain("as SQLite says it");
  });

  it("leaves other errors as they are", () => {
    const unread = new Database.SqliteError("disk I/O error", "SQLITE_IOERR_READ");
    expect(describeSqliteError(unread, path)).toBe(unread);
  });

  it("says of a full volume what to do", () => {
    const full = new Database.SqliteError("database or disk is full", "SQLITE_FULL");
    expect(describeSqliteError(full, path)).toMatchObject({
      code: "disk-full",
      message: `${path}: database or disk is full`,
      advice: expect.stringContaining("make room on it"),
    });
  });
});

/** What opening fails with in a process without any rights: root may write everywhere. */
function codeAsNobody(open: "openHeadForReading" | "openHeadForWriting"): string {
  const module = new URL("../../src/head/head-file.ts", import.meta.url).href;
  const script = `
    import { ${open} } from ${JSON.stringify(module)};
    try { ${open}(${JSON.stringify(path)}); } catch (error) { console.log(error.code); }
  `;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    ...(process.getuid?.() === 0 && { uid: 65_534, gid: 65_534 }),
  }).trim();
}

function flip(file: string, from: number, bytes: number): void {
  const damaged = readFileSync(file)
    .subarray(from, from + bytes)
    .map((byte) => byte ^ 0xff);
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, damaged, 0, bytes, from);
  closeSync(descriptor);
}
