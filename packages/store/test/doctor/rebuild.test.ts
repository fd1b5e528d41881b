import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { examine } from "../../src/doctor/examination.ts";
import { rebuildHead } from "../../src/doctor/rebuild.ts";
import { listSegmentFiles } from "../../src/manifest/segment-folder.ts";
import { LogSite } from "../backup/log-site.ts";

const NOW_MS = (): number => Date.now();

function loseHead(site: LogSite): void {
  for (const suffix of ["", "-wal", "-shm"]) {
    rmSync(site.folder.at(`data/head.db${suffix}`), { force: true });
  }
}

async function filled(): Promise<LogSite> {
  const site = await LogSite.open();
  await site.ship("/a", site.lines(0, 100));
  await site.ship("/b", site.lines(0, 30));
  await site.store.compact();
  return site;
}

describe("a head made again from the segments", { timeout: 30_000 }, () => {
  it("knows the records, the agents and the streams, under a new store id", async () => {
    await using site = await filled();
    const { storeId } = site.store;
    const before = site.find("*");
    await site.close();
    loseHead(site);
    const result = await rebuildHead(site.dataDir, NOW_MS);
    expect(result).toMatchObject({
      segments: 1,
      streams: 2,
      records: 130,
      leftOut: [],
      movedTo: undefined,
      doctor: { problems: 0 },
    });
    expect(result.storeId).not.toBe(storeId);
    expect(site.find("*")).toEqual(before);
    expect(site.find("t7x")).toHaveLength(2);
    expect(site.find("env:prod")).toHaveLength(130);
    expect(examine({ dataDir: site.dataDir, isDeep: true }, Date.now)).toMatchObject({
      problems: 0,
    });
  });

  it("takes up a stream at the cursor that its agent brings, behind a gap", async () => {
    await using site = await filled();
    await site.ship("/a", site.lines(100, 110)); // only in the head
    await site.close();
    loseHead(site);
    await rebuildHead(site.dataDir, NOW_MS);
    await site.open();
    const { unfinished } = await site.store.introduce({
      agentId: "a-1",
      host: "web-1",
      version: "1",
      labels: {},
    });
    expect(unfinished).toEqual([]); // nobody should take it up without a cursor
    const opened = await site.openStream("/a", "where the agent stood");
    expect(opened).toMatchObject({ nextSeq: 100, created: false });
    expect(Buffer.from(opened.cursor).toString()).toBe("where the agent stood");
    await site.ship("/a", site.lines(110, 120));
    const again = await site.openStream("/a", "elsewhere");
    expect(Buffer.from(again.cursor).toString()).toBe("after");
    expect(again.nextSeq).toBe(110);
    await site.store.compact();
    expect(site.find("*")).toHaveLength(140);
    await site.close();
    expect(examine({ dataDir: site.dataDir, isDeep: true }, Date.now)).toMatchObject({
      problems: 0,
    });
  });

  it("counts no record twice where replaced segments still lie there", async () => {
    await using site = await LogSite.open();
    const kept = site.folder.at("kept");
    mkdirSync(kept);
    for (let i = 0; i < 4; i++) {
      await site.ship("/a", site.lines(i * 10, i * 10 + 10));
      await site.store.compact();
      for (const path of listSegmentFiles(site.dataDir)) {
        copyFileSync(join(site.dataDir, path), join(kept, basename(path)));
      }
    }
    const [path = ""] = listSegmentFiles(site.dataDir);
    await site.close();
    for (const name of readdirSync(kept)) {
      copyFileSync(join(kept, name), join(site.dataDir, dirname(path), name));
    }
    loseHead(site);
    const result = await rebuildHead(site.dataDir, NOW_MS);
    expect(result).toMatchObject({ segments: 1, records: 40 });
    expect(result.leftOut.every((text) => text.endsWith("another segment took its place"))).toBe(
      true,
    );
    expect(result.leftOut.length).toBeGreaterThan(0);
    expect(site.find("*")).toHaveLength(40);
  });

  it("leaves out what cannot be read, and doctor tells of it", async () => {
    await using site = await filled();
    await site.close();
    loseHead(site);
    const [path = ""] = listSegmentFiles(site.dataDir);
    const broken = `${dirname(path)}/broken.db`;
    writeFileSync(join(site.dataDir, broken), "x".repeat(9000));
    const { leftOut, doctor } = await rebuildHead(site.dataDir, NOW_MS);
    expect(leftOut).toHaveLength(1);
    expect(leftOut[0]).toContain(broken);
    expect(doctor.problems).toBe(1);
    await site.open();
    expect(readdirSync(site.folder.at("data/quarantine"))).toHaveLength(1);
  });

  it("keeps deletes in force that were issued before", async () => {
    await using site = await filled();
    const kept = site.folder.at("old.db");
    const [path = ""] = listSegmentFiles(site.dataDir);
    copyFileSync(join(site.dataDir, path), kept);
    await site.store.delete({ query: "t7x", fromUs: undefined, untilUs: undefined, issuedUs: 1 });
    await site.store.removeDeleted();
    await site.close();
    for (const file of listSegmentFiles(site.dataDir)) {
      rmSync(join(site.dataDir, file));
    }
    renameSync(kept, join(site.dataDir, path)); // as it was before the delete
    loseHead(site);
    expect(await rebuildHead(site.dataDir, NOW_MS)).toMatchObject({ records: 130, deletes: 1 });
    expect(site.find("t7x")).toEqual([]);
    await site.open();
    await site.store.removeDeleted();
    expect(site.find("*")).toHaveLength(128);
  });

  it("moves a damaged head aside, with its log", async () => {
    await using site = await filled();
    await site.close();
    writeFileSync(site.folder.at("data/head.db"), "x".repeat(9000));
    writeFileSync(site.folder.at("data/head.db-wal"), "log");
    const { movedTo } = await rebuildHead(site.dataDir, NOW_MS);
    expect(readdirSync(site.dataDir)).toContain(basename(movedTo ?? ""));
    expect(readdirSync(site.dataDir)).toContain(`${basename(movedTo ?? "")}-wal`);
    expect(site.find("*")).toHaveLength(130);
  });

  it("is not made where the head is sound, while a collector runs, or of nothing", async () => {
    await using site = await filled();
    await expect(rebuildHead(site.dataDir, NOW_MS)).rejects.toMatchObject({ code: "data-locked" });
    await site.close();
    await expect(rebuildHead(site.dataDir, NOW_MS)).rejects.toMatchObject({
      code: "rebuild-refused",
    });
    rmSync(site.folder.at("data/segments"), { recursive: true });
    loseHead(site);
    await expect(rebuildHead(site.dataDir, NOW_MS)).rejects.toMatchObject({
      code: "rebuild-refused",
    });
    expect(readdirSync(site.dataDir)).not.toContain("head.db");
  });
});
