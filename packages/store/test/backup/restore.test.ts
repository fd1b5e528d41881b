import { join } from "node:path";
import {
  chownSync,
  statSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { digestFile } from "../../src/backup/backup-file.ts";
import type { BackupEntry } from "../../src/backup/backup-layout.ts";
import { readDeleteLog } from "../../src/backup/delete-log.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { examine } from "../../src/doctor/examination.ts";
import { LogSite } from "./log-site.ts";

const NOW_MS = (): number => Date.now();

/** A delete of every record that holds the word. */
async function deleteWord(site: LogSite, query: string): Promise<void> {
  const issuedUs = Date.now() * 1000;
  await site.store.delete({ query, fromUs: undefined, untilUs: undefined, issuedUs });
}

async function backedUp(): Promise<LogSite> {
  const site = await LogSite.open();
  await site.ship("/a", site.lines(0, 100));
  await site.store.compact();
  await site.ship("/a", site.lines(100, 110));
  await site.store.backup(site.folder.at("backup"));
  return site;
}

describe("a restored store", { timeout: 30_000 }, () => {
  let closed: LogSite;

  beforeAll(async () => {
    closed = await backedUp();
    await closed.close();
  });

  afterAll(() => closed[Symbol.asyncDispose]());

  it("holds what the backup does, under its store id, and doctor finds nothing wrong", async () => {
    await using site = await backedUp();
    const { storeId } = site.store;
    await site.ship("/a", site.lines(110, 120));
    await site.close();
    rmSync(site.dataDir, { recursive: true });
    const restored = await restoreBackup(
      { backup: site.folder.at("backup"), dataDir: site.dataDir, replace: false },
      NOW_MS,
    );
    expect(restored).toMatchObject({ deletes: 0, movedTo: undefined, doctor: { problems: 0 } });
    await site.open();
    expect(site.store.storeId).toBe(storeId);
    expect(site.find("*")).toHaveLength(110);
    expect(await site.openStream("/a")).toMatchObject({ created: false, nextSeq: 110 });
    await site.ship("/a", site.lines(110, 125));
    await site.store.compact();
    expect(site.find("*")).toHaveLength(125);
    expect(examine({ dataDir: site.dataDir, isDeep: true }, Date.now)).toMatchObject({
      problems: 0,
    });
    expect(examine({ dataDir: site.folder.at("backup"), isDeep: true }, Date.now)).toMatchObject({
      problems: 0,
    });
  });

  it("takes the place of an older one only with --replace, which moves that aside", async () => {
    await using site = LogSite.copyOf(closed);
    const order = { backup: site.folder.at("backup"), dataDir: site.dataDir };
    await expect(restoreBackup({ ...order, replace: false }, NOW_MS)).rejects.toMatchObject({
      code: "restore-refused",
    });
    const { movedTo } = await restoreBackup({ ...order, replace: true }, NOW_MS);
    expect(site.find("*", movedTo)).toHaveLength(110);
    expect(site.find("*")).toHaveLength(110);
  });

  it.runIf(process.getuid?.() === 0)("belongs to whom the backup does", async () => {
    await using site = LogSite.copyOf(closed);
    chownSync(site.folder.at("backup/head.db"), 12_345, 12_346);
    const dataDir = site.folder.at("other");
    const order = { backup: site.folder.at("backup"), dataDir, replace: false };
    await restoreBackup(order, NOW_MS);
    for (const name of ["", "head.db", "segments", "lock.db"]) {
      expect(statSync(join(dataDir, name))).toMatchObject({ uid: 12_345, gid: 12_346 });
    }
  });

  it("is not made beside a running collector", async () => {
    await using site = await backedUp();
    const order = { backup: site.folder.at("backup"), dataDir: site.dataDir, replace: true };
    await expect(restoreBackup(order, NOW_MS)).rejects.toMatchObject({ code: "data-locked" });
  });

  it("is not made of a damaged backup", async () => {
    await using site = LogSite.copyOf(closed);
    const target = site.folder.at("other");
    writeFileSync(site.folder.at("backup/head.db"), "x", { flag: "a" });
    const order = { backup: site.folder.at("backup"), dataDir: target, replace: false };
    await expect(restoreBackup(order, NOW_MS)).rejects.toMatchObject({ code: "backup-damaged" });
    rmSync(site.folder.at("backup/backup.json"));
    await expect(restoreBackup(order, NOW_MS)).rejects.toMatchObject({ code: "backup-damaged" });
    expect(existsSync(target)).toBe(false);
  });

  it.each([
    "../x",
    "/etc/passwd",
    "segments/../../x.db",
    "segments/a/b/../c.db",
    "tokens/../x.token",
  ])("is not made of a backup that names %s as a file of its own", async (path) => {
    await using site = LogSite.copyOf(closed);
    const list = site.folder.at("backup/backup.json");
    const backup = JSON.parse(readFileSync(list, "utf8")) as { files: { path: string }[] };
    backup.files.push({ ...backup.files[0], path });
    writeFileSync(list, JSON.stringify(backup));
    const dataDir = site.folder.at("other");
    const order = { backup: site.folder.at("backup"), dataDir, replace: false };
    await expect(restoreBackup(order, NOW_MS)).rejects.toMatchObject({ code: "backup-damaged" });
  });

  it("is not made of a newer version's backup, and what is there stays", async () => {
    await using site = LogSite.copyOf(closed);
    const head = new Database(site.folder.at("backup/head.db"));
    head.pragma("user_version = 99");
    head.close();
    const list = site.folder.at("backup/backup.json");
    const backup = JSON.parse(readFileSync(list, "utf8")) as { files: BackupEntry[] };
    const sha256 = digestFile(site.folder.at("backup/head.db"));
    const files = backup.files.map((file) =>
      file.path === "head.db" ? { ...file, sha256 } : file,
    );
    writeFileSync(list, JSON.stringify({ ...backup, files }));
    const order = { backup: site.folder.at("backup"), dataDir: site.dataDir, replace: true };
    await expect(restoreBackup(order, NOW_MS)).rejects.toMatchObject({ code: "data-newer" });
    expect(site.find("*")).toHaveLength(110);
  });

  it("does not begin half: what a crash left is no store, and the next restore begins anew", async () => {
    await using site = LogSite.copyOf(closed);
    rmSync(site.dataDir, { recursive: true });
    mkdirSync(site.folder.at("data/.restoring"), { recursive: true });
    mkdirSync(site.folder.at("data/segments"));
    writeFileSync(site.folder.at("data/segments/half"), "");
    await expect(site.open()).rejects.toMatchObject({ code: "data-missing" });
    const order = { backup: site.folder.at("backup"), dataDir: site.dataDir, replace: false };
    expect(await restoreBackup(order, NOW_MS)).toMatchObject({ doctor: { problems: 0 } });
    expect(readdirSync(site.dataDir)).not.toContain(".restoring");
    expect(site.find("*")).toHaveLength(110);
  });

  it("quarantines segments that are newer than it, where only its head was put back", async () => {
    await using site = await LogSite.open();
    await site.ship("/a", site.lines(0, 110));
    await site.store.backup(site.folder.at("backup"));
    await site.ship("/a", site.lines(110, 300));
    await site.store.compact();
    await site.close();
    for (const suffix of ["-wal", "-shm"]) {
      rmSync(site.folder.at(`data/head.db${suffix}`), { force: true });
    }
    copyFileSync(site.folder.at("backup/head.db"), site.folder.at("data/head.db"));
    await site.open();
    expect(site.notices.map(({ kind }) => kind)).toEqual(["quarantined"]);
    expect(readdirSync(site.folder.at("data/quarantine"))).toHaveLength(1);
    // Agents send again what it lacks, and nothing is there twice.
    await site.ship("/a", site.lines(110, 300));
    expect(new Set(site.find("*")).size).toBe(300);
    expect(site.find("*")).toHaveLength(300);
  });
});

describe("a delete that was issued after a backup", { timeout: 30_000 }, () => {
  it("is told to the backup and to the data folder, each once", async () => {
    await using site = await backedUp();
    await deleteWord(site, "t7x");
    await deleteWord(site, "t8x");
    const logs = ["backup/DELETES.jsonl", "data/deletes.jsonl"].map((name) => site.folder.at(name));
    const read = async (): Promise<string[][]> =>
      (await Promise.all(logs.map(readDeleteLog))).map((lines) => lines.map(({ query }) => query));
    expect(await read()).toEqual([
      ["t7x", "t8x"],
      ["t7x", "t8x"],
    ]);
    await site.close();
    await site.open();
    expect(await read()).toEqual([
      ["t7x", "t8x"],
      ["t7x", "t8x"],
    ]);
  });

  it("reaches a log that lacked it, whose last line a crash tore", async () => {
    await using site = await backedUp();
    await deleteWord(site, "t7x");
    await site.close();
    const log = site.folder.at("backup/DELETES.jsonl");
    writeFileSync(log, '{"storeId":"torn');
    await site.open();
    await site.close();
    expect((await readDeleteLog(log)).map(({ query }) => query)).toEqual(["t7x"]);
  });

  it("stays in force through a restore, for what the backup holds and for what agents send again", async () => {
    await using site = await backedUp();
    await site.ship("/a", site.lines(110, 120));
    await deleteWord(site, "t7x OR t115x");
    expect(site.find("t7x OR t115x")).toEqual([]);
    await site.close();
    rmSync(site.dataDir, { recursive: true });
    const order = { backup: site.folder.at("backup"), dataDir: site.dataDir, replace: false };
    expect(await restoreBackup(order, NOW_MS)).toMatchObject({ deletes: 1 });
    await site.open();
    await site.ship("/a", site.lines(110, 130));
    expect(site.find("t7x OR t115x")).toEqual([]);
    expect(site.find("*")).toHaveLength(128);
    await site.store.removeDeleted();
    await site.store.compact();
    expect(site.find("*")).toHaveLength(128);
    expect(examine({ dataDir: site.dataDir, isDeep: true }, Date.now)).toMatchObject({
      problems: 0,
    });
  });

  it("does not touch what happens after it, however it is sent", async () => {
    await using site = await backedUp();
    await deleteWord(site, "t7x");
    await site.close();
    rmSync(site.dataDir, { recursive: true });
    const order = { backup: site.folder.at("backup"), dataDir: site.dataDir, replace: false };
    await restoreBackup(order, NOW_MS);
    await site.open();
    const timeUs = (Date.now() + 60_000) * 1000;
    await site.ship("/a", [{ body: "t7x again", timeUs }]);
    expect(site.find("t7x")).toEqual(["t7x again"]);
  });

  it("counts from the log of the store that is replaced, where the backup did not hear of it", async () => {
    await using site = await backedUp();
    await deleteWord(site, "t7x");
    await site.close();
    writeFileSync(site.folder.at("backup/DELETES.jsonl"), "");
    const order = { backup: site.folder.at("backup"), dataDir: site.dataDir, replace: true };
    expect(await restoreBackup(order, NOW_MS)).toMatchObject({ deletes: 1 });
    expect(site.find("t7x")).toEqual([]);
  });
});
