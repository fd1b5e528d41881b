import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { compact } from "../../src/maintenance/compaction.ts";
import { takeOutDeleted } from "../../src/maintenance/deletion.ts";
import { merge } from "../../src/maintenance/merge.ts";
import { listSegmentFiles } from "../../src/manifest/segment-folder.ts";
import { SegmentFile } from "../../src/segment/segment-file.ts";
import { SegmentRunReader } from "../../src/segment/segment-run-reader.ts";
import { StoredLog } from "../stored-log.ts";
import { finishDeletes, issueDelete, testJob } from "./test-job.ts";

const APP = { agentId: "a-1", source: "/log/app", generation: 1 };
const DB = { agentId: "a-1", source: "/log/db", generation: 1 };
const DAY_US = 86_400_000_000;

let log: StoredLog;

beforeEach(() => {
  log = new StoredLog();
  onTestFinished(() => log[Symbol.dispose]());
});

function livePaths(): string[] {
  return log.db
    .prepare("SELECT path FROM segments WHERE removed IS NULL ORDER BY id")
    .pluck()
    .all() as string[];
}

/** Everything that the live parts of the store hold, hidden or not. */
function storedBodies(): string {
  let text = "";
  for (const path of livePaths()) {
    using file = SegmentFile.open(log.dataDir, path);
    const reader = new SegmentRunReader(file);
    for (const run of file.runs) {
      text += Buffer.from(reader.read(run)?.columns.bodies ?? "damaged").toString();
    }
  }
  return text;
}

function bodies(query = "*"): string[] {
  return log
    .search({ query })
    .text.split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { body: string }).body);
}

function removedRecords(): unknown {
  return log.db.prepare("SELECT total(removed_records) FROM streams").pluck().get();
}

describe("a delete", () => {
  it("hides at once, and is out of the head and of the segments afterwards", async () => {
    log.append(APP, [{ body: "keep one" }, { body: "secret one" }], 10);
    await compact(testJob(log), 3);
    log.append(APP, [{ body: "secret two" }, { body: "keep two" }], 20);
    const id = issueDelete(log, { query: "secret", receivedUs: 20 });
    expect(bodies()).toEqual(["keep one", "keep two"]);
    const taken = await takeOutDeleted(testJob(log), 3);
    expect(taken).toMatchObject({ deletes: [id], records: 2, detail: "secret" });
    finishDeletes(log, [id]);
    expect(storedBodies()).not.toContain("secret");
    expect(bodies().toSorted()).toEqual(["keep one", "keep two"]);
    expect(removedRecords()).toBe(2);
    expect(await takeOutDeleted(testJob(log), 3)).toBeUndefined();
  });

  it("leaves what was received after it, and what lies outside of its range", async () => {
    log.append(
      APP,
      [
        { body: "secret early", timeUs: 1 },
        { body: "secret in", timeUs: 5 },
      ],
      10,
    );
    const id = issueDelete(log, { query: "secret", fromUs: 5, untilUs: 9, receivedUs: 10 });
    log.append(APP, [{ body: "secret late", timeUs: 6 }], 11);
    const left = ["secret early", "secret late"];
    expect(bodies()).toEqual(left);
    await takeOutDeleted(testJob(log), 3);
    finishDeletes(log, [id]);
    expect(bodies()).toEqual(left);
    expect(removedRecords()).toBe(1);
  });

  it("takes a record that retention hides, for a longer policy may show it again", async () => {
    log.append(APP, [{ body: "secret" }, { body: "keep" }], 10);
    await compact(testJob(log), 3);
    log.setVisibility({
      policy: { keep: "1d", rules: [] } as never,
      cutoffs: { default: 50 } as never,
    });
    issueDelete(log, { query: "secret", receivedUs: 10 });
    await takeOutDeleted(testJob(log), 3);
    expect(storedBodies()).not.toContain("secret");
  });

  it("writes only those segments anew that hold some of it", async () => {
    for (const [day, word] of ["alpha", "beta", "secret", "delta"].entries()) {
      log.append(APP, [{ body: `${word} line` }, { body: "other" }], day * DAY_US);
    }
    await compact(testJob(log), 3);
    const before = livePaths();
    expect(before).toHaveLength(4);
    issueDelete(log, { query: "secret", receivedUs: 9 * DAY_US });
    const job = testJob(log);
    await takeOutDeleted(job, 3);
    expect(job.swaps).toHaveLength(1);
    expect(livePaths().filter((path) => before.includes(path))).toHaveLength(3);
  });

  it("of everything leaves no file", async () => {
    log.append(APP, [{ body: "one" }], 10);
    log.append(DB, [{ body: "two" }], 10 + DAY_US);
    await compact(testJob(log), 3);
    issueDelete(log, { query: "*", receivedUs: 9 * DAY_US });
    await takeOutDeleted(testJob(log), 3);
    expect(livePaths()).toEqual([]);
    expect(removedRecords()).toBe(2);
  });

  it("that is issued during a compaction refuses its swap, and the lines stay deleted", async () => {
    log.append(APP, [{ body: "secret" }, { body: "keep" }], 10);
    let id: number | undefined;
    const job = testJob(log, () => {
      id ??= issueDelete(log, { query: "secret", receivedUs: 10 });
    });
    expect(await compact(job, 3)).toBeUndefined();
    expect(listSegmentFiles(log.dataDir)).toEqual([]);
    await compact(job, 3);
    expect(storedBodies()).toBe("keep\n");
    await takeOutDeleted(job, 3);
    finishDeletes(log, [id ?? 0]);
    expect(bodies()).toEqual(["keep"]);
  });

  it("that is issued during a merge or another delete's rewriting is taken out as well", async () => {
    for (const receivedUs of [10, 11]) {
      log.append(APP, [{ body: "secret" }, { body: "other" }, { body: "keep" }], receivedUs);
      await compact(testJob(log), 3);
    }
    const ids = () => log.db.prepare("SELECT id FROM segments WHERE removed IS NULL").pluck().all();
    let isIssued = false;
    const job = testJob(log, () => {
      if (!isIssued) {
        isIssued = true;
        issueDelete(log, { query: "secret", receivedUs: 11 });
      }
    });
    expect(await merge(job, { segments: ids() as number[], level: 3 })).toBeUndefined();
    isIssued = false;
    const second = testJob(log, () => {
      if (!isIssued) {
        isIssued = true;
        issueDelete(log, { query: "other", receivedUs: 11 });
      }
    });
    const taken = await takeOutDeleted(second, 3);
    expect(taken?.deletes).toHaveLength(2);
    expect(taken?.records).toBe(4);
    expect(storedBodies()).toBe("keep\nkeep\n");
  });

  it("gives up where other changes never cease, and stays hidden", async () => {
    log.append(APP, [{ body: "secret" }], 10);
    await compact(testJob(log), 3);
    issueDelete(log, { query: "secret", receivedUs: 10 });
    const job = testJob(log, () => issueDelete(log, { query: "more", receivedUs: 10 }));
    await expect(takeOutDeleted(job, 3)).rejects.toThrow("other jobs keep coming in between");
    expect(bodies()).toEqual([]);
  });

  it("is not undone by a page token of before", () => {
    log.append(APP, [{ body: "a" }, { body: "secret" }, { body: "b" }], 10);
    const first = log.search({ limit: 1 });
    issueDelete(log, { query: "secret", receivedUs: 10 });
    const { text } = log.search({ limit: 9, page: first.summary.nextPage });
    expect(text).not.toContain("secret");
    expect(text).toContain('"body":"b"');
  });
});

const LINES = 75_000;
const FIRST = 100;

/** Enough of one stream for its blocks to have a dictionary. */
function fillWithDictionary(): void {
  let number = 0;
  for (let batch = 0; batch < LINES / 1000; batch++) {
    const records = Array.from({ length: 1000 }, () => {
      number += 1;
      const id = ((number * 2_654_435_761) >>> 0).toString(36);
      const isFirst = number < 4000 && number % 40 === 3;
      const word = isFirst ? "firstsecret" : number === LINES - 10 ? "lastsecret" : "plain";
      const body = `job ${id} of worker-${number % 7} took ${number % 991} ms and was ${word} ${id}${id}, with the usual words behind it`;
      return { body, timeUs: number };
    });
    log.append(APP, records, 10 + batch);
  }
}

describe("writing a segment anew", { timeout: 30_000 }, () => {
  it("takes over blocks that lose nothing, byte for byte, with their dictionary", async () => {
    fillWithDictionary();
    log.append(DB, [{ body: "small stream" }], 500);
    await compact(testJob(log), 1);
    const before = blobs();
    expect(before.some(({ dictionary }) => dictionary !== undefined)).toBe(true);
    const id = issueDelete(log, { query: "lastsecret", receivedUs: 500 });
    await takeOutDeleted(testJob(log), 3);
    finishDeletes(log, [id]);
    const after = blobs();
    const same = after.filter(({ content }) => before.some((old) => old.content.equals(content)));
    expect(same).toHaveLength(before.length - 1);
    expect(after).toHaveLength(before.length);
    expect(log.search({ query: "lastsecret" }).summary.rows).toBe(0);
    expect(log.search({ query: "firstsecret" }).summary.rows).toBe(FIRST);
    expect(bodies("plain")).toHaveLength(LINES - FIRST - 1);
    expect(log.search({ query: "small" }).summary).toMatchObject({ rows: 1, damaged: 0 });
  });

  it("leaves no line of what is gone in a dictionary", async () => {
    fillWithDictionary();
    await compact(testJob(log), 1);
    expect(dictionaryText().includes("firstsecret")).toBe(true);
    const id = issueDelete(log, { query: "firstsecret", receivedUs: 500 });
    await takeOutDeleted(testJob(log), 3);
    finishDeletes(log, [id]);
    expect(dictionaryText().includes("firstsecret")).toBe(false);
    expect(dictionaryText().includes("plain")).toBe(true);
    expect(bodies("plain")).toHaveLength(LINES - FIRST - 1);
  });

  it("puts a block aside that cannot be decoded, and only that", async () => {
    fillWithDictionary();
    await compact(testJob(log), 1);
    const [path = ""] = livePaths();
    const [victim] = blobs().slice(4);
    const file = join(log.dataDir, path);
    const bytes = readFileSync(file);
    const at = bytes.indexOf(victim?.content.subarray(0, 64) ?? "");
    bytes.fill(0, at + 20, at + 60);
    writeFileSync(file, bytes);
    const id = issueDelete(log, { query: "lastsecret", receivedUs: 500 });
    const job = testJob(log);
    await takeOutDeleted(job, 3);
    finishDeletes(log, [id]);
    expect(job.putAside).toEqual([expect.stringContaining(".block-4")]);
    expect(log.search({}).summary).toMatchObject({ damaged: 0 });
    expect(log.search({ query: "firstsecret" }).summary.rows).toBe(FIRST);
  });
});

function dictionaryText(): string {
  return livePaths()
    .flatMap((path) => {
      using file = SegmentFile.open(log.dataDir, path);
      const ids = [...file.dictionarySources().keys()];
      return ids.map((id) => Buffer.from(file.dictionary(id)?.bytes ?? []).toString());
    })
    .join("");
}

function blobs(): { content: Buffer; dictionary: number | undefined }[] {
  return livePaths().flatMap((path) => {
    using file = SegmentFile.open(log.dataDir, path);
    return Array.from({ length: file.blockCount }, (_, block) => {
      const stored = file.stored(block);
      return { content: stored?.content ?? Buffer.alloc(0), dictionary: stored?.dictionary };
    });
  });
}
