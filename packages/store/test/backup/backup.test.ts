import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { readBackup } from "../../src/backup/backup-file.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { examine } from "../../src/doctor/examination.ts";
import { openHeadForWriting } from "../../src/head/head-file.ts";
import { LogSite } from "./log-site.ts";

describe("a backup", { timeout: 30_000 }, () => {
  it("holds what was committed before it, in segments and in the head, and is whole", async () => {
    await using site = await LogSite.open();
    await site.ship("/a", site.lines(0, 100));
    await site.store.compact();
    await site.ship("/a", site.lines(100, 120));
    const path = site.folder.at("backup");
    const result = await site.store.backup(path);
    await site.ship("/a", site.lines(120, 130));
    expect(result).toMatchObject({ path, records: 120, segments: 1, missing: [] });
    expect(site.find("*", path)).toHaveLength(120);
    expect(examine({ dataDir: path, isDeep: true }, Date.now)).toMatchObject({ problems: 0 });
  });

  it("shares the files of segments with the store, and nothing else", async () => {
    await using site = await LogSite.open();
    await site.ship("/a", site.lines(0, 50));
    await site.store.compact();
    const path = site.folder.at("backup");
    const result = await site.store.backup(path);
    const segment = readBackup(path).files.find((file) => file.path.startsWith("segments/"));
    expect(statSync(join(path, segment?.path ?? "")).ino).toBe(
      statSync(join(site.dataDir, segment?.path ?? "")).ino,
    );
    expect(statSync(join(path, "head.db")).ino).not.toBe(
      statSync(site.folder.at("data/head.db")).ino,
    );
    expect(result.linkedBytes).toBe(segment?.bytes);
  });

  it("is of one moment while lines come in, and no commit waits for it", async () => {
    await using site = await LogSite.open();
    await site.ship("/a", site.lines(0, 1000));
    const made = new AbortController();
    const backup = site.store.backup(site.folder.at("backup")).finally(() => made.abort());
    let next = 1000;
    while (!made.signal.aborted) {
      await site.ship("/a", site.lines(next, next + 10));
      next += 10;
    }
    const { records } = await backup;
    const bodies = site.find("*", site.folder.at("backup"));
    expect(bodies).toHaveLength(records);
    expect(bodies.at(-1)).toContain(`line ${records - 1} `);
    expect(records).toBeGreaterThanOrEqual(1000);
    expect(next).toBeGreaterThan(1000);
  });

  it("keeps segments that a merge replaces while it copies them", async () => {
    await using site = await LogSite.open();
    for (let i = 0; i < 4; i++) {
      await site.ship("/a", site.lines(i * 10, i * 10 + 10));
      await site.store.compact();
    }
    const [backup] = await Promise.all([
      site.store.backup(site.folder.at("backup")),
      site.store.compact(),
    ]);
    expect(backup.missing).toEqual([]);
    expect(site.find("*", site.folder.at("backup"))).toHaveLength(40);
  });

  it("takes keys and certificates along, and a restore keeps the newer ones that are there", async () => {
    await using site = await LogSite.open();
    mkdirSync(site.folder.at("data/tls"));
    writeFileSync(site.folder.at("data/keys.json"), "old");
    writeFileSync(site.folder.at("data/tls/ca.key"), "key");
    await site.store.backup(site.folder.at("backup"));
    expect(statSync(site.folder.at("backup/tls/ca.key")).mode & 0o777).toBe(0o600);
    writeFileSync(site.folder.at("data/keys.json"), "a key was revoked");
    await site.close();
    const order = { backup: site.folder.at("backup"), dataDir: site.dataDir };
    await restoreBackup({ ...order, replace: true }, Date.now);
    expect(readFileSync(site.folder.at("data/keys.json"), "utf8")).toBe("a key was revoked");
    expect(readFileSync(site.folder.at("data/tls/ca.key"), "utf8")).toBe("key");
    await restoreBackup({ ...order, dataDir: site.folder.at("new"), replace: false }, Date.now);
    expect(readFileSync(site.folder.at("new/keys.json"), "utf8")).toBe("old");
  });

  it("takes the tokens along, readable by their owner alone", async () => {
    await using site = await LogSite.open();
    mkdirSync(site.folder.at("data/tokens"));
    writeFileSync(site.folder.at("data/tokens/ingest.token"), "secret\n", { mode: 0o644 });
    await site.store.backup(site.folder.at("backup"));
    const token = site.folder.at("backup/tokens/ingest.token");
    expect(readFileSync(token, "utf8")).toBe("secret\n");
    expect(statSync(token).mode & 0o777).toBe(0o600);
    expect(statSync(site.folder.at("backup/head.db")).mode & 0o777).toBe(0o600);
    expect(statSync(site.folder.at("backup")).mode & 0o777).toBe(0o700);
  });

  it.each([
    { why: "a folder that is not empty", target: (site: LogSite) => site.folder.at("full") },
    { why: "a file", target: (site: LogSite) => site.folder.at("file") },
    { why: "the data folder", target: (site: LogSite) => site.dataDir },
    { why: "a place inside it", target: (site: LogSite) => join(site.dataDir, "b/c") },
    { why: "a relative path", target: () => "backup" },
  ])("is refused in $why, and nothing is left of it", async ({ target }) => {
    await using site = await LogSite.open();
    mkdirSync(site.folder.at("full"));
    writeFileSync(site.folder.at("full/x"), "");
    writeFileSync(site.folder.at("file"), "");
    const before = readdirSync(site.folder.path);
    await expect(site.store.backup(target(site))).rejects.toMatchObject({ code: "backup-failed" });
    expect(readdirSync(site.folder.path)).toEqual(before);
  });

  it("goes into an empty folder", async () => {
    await using site = await LogSite.open();
    mkdirSync(site.folder.at("empty"));
    await site.store.backup(site.folder.at("empty"));
    expect(readBackup(site.folder.at("empty")).storeId).toBe(site.store.storeId);
  });

  it("says what the store has lost, and holds the rest", async () => {
    await using site = await LogSite.open();
    await site.ship("/a", site.lines(0, 10));
    await site.store.compact();
    const db = openHeadForWriting(site.folder.at("data/head.db"));
    db.exec("UPDATE segments SET path = 'segments/default/2026-01-01/gone.db'");
    db.close();
    await site.ship("/a", site.lines(10, 12));
    const { missing, records } = await site.store.backup(site.folder.at("backup"));
    expect(missing).toEqual(["segments/default/2026-01-01/gone.db"]);
    expect(records).toBe(12);
  });

  it("of which a crash left a part is removed by the next start; one that was whole stays", async () => {
    await using site = await LogSite.open();
    await site.store.backup(site.folder.at("whole"));
    await site.close();
    const { id } = readBackup(site.folder.at("whole"));
    mkdirSync(site.folder.at("broken.partial-x"));
    const db = openHeadForWriting(site.folder.at("data/head.db"));
    const begin = db.prepare(
      "INSERT INTO backups (path, partial, taken_us, last_delete) VALUES (?, ?, 1, 0)",
    );
    begin.run(site.folder.at("broken"), site.folder.at("broken.partial-x"));
    db.prepare("UPDATE backups SET partial = ? WHERE path = ?").run(
      site.folder.at(`whole.partial-${id}`),
      site.folder.at("whole"),
    );
    db.close();
    await site.open();
    expect(readdirSync(site.folder.path).toSorted()).toEqual(["data", "whole"]);
    await site.close();
    const after = openHeadForWriting(site.folder.at("data/head.db"));
    expect(after.prepare("SELECT path, partial FROM backups").all()).toEqual([
      { path: site.folder.at("whole"), partial: null },
    ]);
    after.close();
  });
});
