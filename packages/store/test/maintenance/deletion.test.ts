import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { listSegmentFiles } from "../../src/manifest/segment-folder.ts";
import { SegmentFile } from "../../src/segment/segment-file.ts";
import { SegmentRunReader } from "../../src/segment/segment-run-reader.ts";
import { type Interference, LogKeeper } from "../log-keeper.ts";
import { StoredLog } from "../stored-log.ts";

const APP = { agentId: "a-1", source: "/log/app", generation: 1 };
const DB = { agentId: "a-1", source: "/log/db", generation: 1 };
const DAY_US = 86_400_000_000;

let log: StoredLog;
let keeper: LogKeeper;

beforeEach(() => {
  log = new StoredLog();
  keeper = new LogKeeper(log);
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

/** @param order `receivedUs`: receipt of the last records that it takes */
function deleteUpTo(order: {
  readonly query: string;
  readonly fromUs?: number;
  readonly untilUs?: number;
  readonly receivedUs: number;
}): void {
  log.head.receiptTime(order.receivedUs);
  keeper.delete(order);
}

/** In the middle of a job, once. */
function once(work: () => void): Interference {
  let isDone = false;
  return {
    happen: (at) => {
      if (at === "swap" && !isDone) {
        isDone = true;
        work();
      }
    },
  };
}

function removedRecords(): unknown {
  return log.db.prepare("SELECT total(removed_records) FROM streams").pluck().get();
}

describe("a delete", () => {
  it("hides at once, and is out of the head and of the segments afterwards", async () => {
    log.append(APP, [{ body: "keep one" }, { body: "secret one" }], 10);
    await keeper.compact();
    log.append(APP, [{ body: "secret two" }, { body: "keep two" }], 20);
    deleteUpTo({ query: "secret", receivedUs: 20 });
    expect(bodies()).toEqual(["keep one", "keep two"]);
    const taken = await keeper.removeDeleted();
    expect(taken).toMatchObject({ deletes: [1], records: 2, detail: "secret" });
    expect(storedBodies()).not.toContain("secret");
    expect(bodies().toSorted()).toEqual(["keep one", "keep two"]);
    expect(removedRecords()).toBe(2);
    expect(await keeper.removeDeleted()).toBeUndefined();
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
    deleteUpTo({ query: "secret", fromUs: 5, untilUs: 9, receivedUs: 10 });
    log.append(APP, [{ body: "secret late", timeUs: 6 }], 11);
    const left = ["secret early", "secret late"];
    expect(bodies()).toEqual(left);
    await keeper.removeDeleted();
    expect(bodies()).toEqual(left);
    expect(removedRecords()).toBe(1);
  });

  it("takes a record that retention hides, for a longer policy may show it again", async () => {
    log.append(APP, [{ body: "secret" }, { body: "keep" }], 10);
    await keeper.compact();
    log.setVisibility({
      policy: { keep: "1d", rules: [] } as never,
      cutoffs: { default: 50 } as never,
    });
    deleteUpTo({ query: "secret", receivedUs: 10 });
    await keeper.removeDeleted();
    expect(storedBodies()).not.toContain("secret");
  });

  it("writes only those segments anew that hold some of it", async () => {
    for (const [day, word] of ["alpha", "beta", "secret", "delta"].entries()) {
      log.append(APP, [{ body: `${word} line` }, { body: "other" }], day * DAY_US);
    }
    await keeper.compact();
    const before = livePaths();
    expect(before).toHaveLength(4);
    deleteUpTo({ query: "secret", receivedUs: 9 * DAY_US });
    await keeper.removeDeleted();
    expect(keeper.segments).toHaveLength(4);
    expect(livePaths().filter((path) => before.includes(path))).toHaveLength(3);
  });

  it("of everything leaves no file", async () => {
    log.append(APP, [{ body: "one" }], 10);
    log.append(DB, [{ body: "two" }], 10 + DAY_US);
    await keeper.compact();
    deleteUpTo({ query: "*", receivedUs: 9 * DAY_US });
    await keeper.removeDeleted();
    expect(livePaths()).toEqual([]);
    expect(removedRecords()).toBe(2);
  });

  it("that is issued during a compaction refuses its swap, and the lines stay deleted", async () => {
    log.append(APP, [{ body: "secret" }, { body: "keep" }], 10);
    const issue = once(() => deleteUpTo({ query: "secret", receivedUs: 10 }));
    expect(await keeper.compact(3, issue)).toBeUndefined();
    expect(listSegmentFiles(log.dataDir)).toEqual([]);
    await keeper.compact();
    expect(storedBodies()).toBe("keep\n");
    await keeper.removeDeleted();
    expect(bodies()).toEqual(["keep"]);
  });

  it("that is issued during a merge or another delete's rewriting is taken out as well", async () => {
    for (const receivedUs of [10, 11]) {
      log.append(APP, [{ body: "secret" }, { body: "other" }, { body: "keep" }], receivedUs);
      await keeper.compact();
    }
    const segments = keeper.segments.map(({ id }) => id);
    const first = once(() => deleteUpTo({ query: "secret", receivedUs: 11 }));
    expect(await keeper.merge(segments, first)).toBeUndefined();
    const second = once(() => deleteUpTo({ query: "other", receivedUs: 11 }));
    const taken = await keeper.removeDeleted(second);
    expect(taken?.deletes).toHaveLength(2);
    expect(taken?.records).toBe(4);
    expect(storedBodies()).toBe("keep\nkeep\n");
  });

  it("gives up where other changes never cease, and stays hidden", async () => {
    log.append(APP, [{ body: "secret" }], 10);
    await keeper.compact();
    deleteUpTo({ query: "secret", receivedUs: 10 });
    const happen = (): void => deleteUpTo({ query: "more", receivedUs: 10 });
    await expect(keeper.removeDeleted({ happen })).rejects.toThrow(
      "other jobs keep coming in between",
    );
    expect(bodies()).toEqual([]);
  });

  it("is not undone by a page token of before", () => {
    log.append(APP, [{ body: "a" }, { body: "secret" }, { body: "b" }], 10);
    const first = log.search({ limit: 1 });
    deleteUpTo({ query: "secret", receivedUs: 10 });
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
    await keeper.compact(1);
    const before = blobs();
    expect(before.some(({ dictionary }) => dictionary !== undefined)).toBe(true);
    deleteUpTo({ query: "lastsecret", receivedUs: 500 });
    await keeper.removeDeleted();
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
    await keeper.compact(1);
    expect(dictionaryText().includes("firstsecret")).toBe(true);
    deleteUpTo({ query: "firstsecret", receivedUs: 500 });
    await keeper.removeDeleted();
    expect(dictionaryText().includes("firstsecret")).toBe(false);
    expect(dictionaryText().includes("plain")).toBe(true);
    expect(bodies("plain")).toHaveLength(LINES - FIRST - 1);
  });

  it.each([
    ["a block that cannot be decoded", 4],
    ["one that a dictionary is made of", 0],
  ])("puts %s aside, and only that", async (_, block) => {
    fillWithDictionary();
    await keeper.compact(1);
    const [path = ""] = livePaths();
    const victim = blobs()[block];
    const file = join(log.dataDir, path);
    const bytes = readFileSync(file);
    const at = bytes.indexOf(victim?.content.subarray(20_000, 20_040) ?? "");
    expect(at).toBeGreaterThan(0);
    bytes.fill(0, at, at + 40);
    writeFileSync(file, bytes);
    deleteUpTo({ query: "lastsecret", receivedUs: 500 });
    await keeper.removeDeleted();
    expect(keeper.quarantined).toEqual([expect.stringContaining(`.block-${block}`)]);
    const { rows, damaged } = log.search({}).summary;
    expect(damaged).toBe(0);
    expect(rows).toBe(LINES - Number(removedRecords()));
    expect(rows).toBeGreaterThan(LINES / 2);
    expect(log.search({ query: "firstsecret" }).summary.rows).toBe(block === 0 ? 0 : FIRST);
  });
});

describe("a delete of what came in while an earlier one was carried out", () => {
  it("is done when its own batches are out of the head too", async () => {
    log.append(APP, [{ body: "secret one" }, { body: "keep one" }], 10);
    await keeper.compact();
    log.append(APP, [{ body: "keep two" }], 20);
    deleteUpTo({ query: "secret", receivedUs: 20 });
    const later = [
      () => log.append(APP, [{ body: "secret two" }, { body: "keep three" }], 30),
      () => deleteUpTo({ query: "secret", receivedUs: 30 }),
    ];
    const happen: Interference["happen"] = (at) => void (at === "swap" && later.shift()?.());
    await keeper.removeDeleted({ happen });
    await keeper.removeDeleted();
    expect(bodies().toSorted()).toEqual(["keep one", "keep three", "keep two"]);
    expect(storedBodies()).not.toContain("secret");
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
