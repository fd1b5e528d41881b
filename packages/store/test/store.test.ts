import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, watch, writeFileSync } from "node:fs";
import { decodeColumns, decompressPayload } from "@sluice/protocol";
import type { TimeUs } from "@sluice/quantity";
import { retentionPolicySchema } from "@sluice/retention";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { StoreError } from "../src/errors.ts";
import { openStoreReader } from "../src/head-reader.ts";
import { openHeadForReading, openHeadForWriting } from "../src/head/head-file.ts";
import { Store } from "../src/store.ts";
import type { StoreNotice } from "../src/store-events.ts";
import type { CommitReport } from "../src/head/writer-messages.ts";
import { Folder } from "./folder.ts";
import { batchFrame, finalFrame, gapFrame, linesFrame, messageOf } from "./frames.ts";

const AGENT = { agentId: "a-1", host: "web-1", version: "1.0.0", labels: { env: "prod" } };

/** A data folder, its store, and what the store reports. */
class Site implements AsyncDisposable {
  readonly folder = new Folder();
  readonly reports: CommitReport[] = [];
  readonly failures: StoreError[] = [];
  readonly notices: StoreNotice[] = [];
  #store: Store | undefined;
  #wake: () => void = () => undefined;

  static async open(): Promise<Site> {
    const site = new Site();
    await site.open();
    return site;
  }

  get store(): Store {
    if (this.#store === undefined) {
      throw new Error("the store is closed");
    }
    return this.#store;
  }

  async open(): Promise<void> {
    this.#store = await Store.open(this.folder.path, {
      committed: (report) => {
        this.reports.push(report);
        this.#wake();
      },
      failed: (error) => {
        this.failures.push(error);
        this.#wake();
      },
      full: () => undefined,
      noticed: (notice) => this.notices.push(notice),
    });
  }

  async close(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = undefined;
  }

  /** Opens a stream on its connection, which takes its number there for its name. */
  async openStream(connection: number, source = `/log/${connection}`) {
    const { agent } = await this.store.introduce(AGENT);
    const initialCursor = Buffer.from("begin");
    const [opened] = await this.store.openStreams(connection, agent, AGENT.host, [
      { stream: 0, source, generation: 1, initialCursor, labels: { env: "prod" } },
    ]);
    if (opened === undefined) {
      throw new Error("nothing was opened");
    }
    return opened;
  }

  /** What became of a connection's frames. */
  outcomes(connection: number): string[] {
    return this.reports
      .flatMap(({ frames }) => frames)
      .filter((frame) => frame.connection === connection)
      .map(({ outcome }) => outcome.kind);
  }

  async until(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** The bodies of a source's records, as they lie in the file. */
  bodies(source: string): string {
    const db = openHeadForReading(this.folder.at("head.db"));
    const rows = db
      .prepare(
        `SELECT payload, raw_bytes, count FROM batches
         WHERE stream = (SELECT id FROM streams WHERE source = ?) ORDER BY id`,
      )
      .all(source) as { payload: Buffer; raw_bytes: number; count: number }[];
    db.close();
    return rows
      .map(({ payload, raw_bytes, count }) => {
        const raw = decompressPayload(payload, raw_bytes);
        const columns = raw.ok ? decodeColumns(raw.value, count) : raw;
        return columns.ok ? Buffer.from(columns.value.bodies).toString() : "damaged\n";
      })
      .join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.folder[Symbol.dispose]();
  }
}

/** One for the tests that need no store of their own: its thread takes a while to start. */
let shared: Site;

beforeAll(async () => {
  shared = await Site.open();
});

afterAll(() => shared[Symbol.asyncDispose]());

describe("a store that is written to", () => {
  it("reports frames as committed in the order in which they were appended", async () => {
    const { store, reports } = shared;
    await shared.openStream(1);
    const before = reports.length;
    const { highWater } = store;
    for (let i = 0; i < 100; i++) {
      store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: i, firstSeq: i }, `line ${i}`)));
    }
    await shared.until(() => shared.outcomes(1).length === 100);
    expect(shared.outcomes(1).every((kind) => kind === "accepted")).toBe(true);
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}\n`);
    expect(shared.bodies("/log/1")).toBe(lines.join(""));
    expect(store.highWater).toBe(highWater + 100);
    // Far fewer commits than frames: those that come close together share one fsync.
    expect(reports.length - before).toBeLessThan(20);
  });

  it("has the frames in the file by the time it reports them", async () => {
    await shared.openStream(2);
    shared.store.append(2, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "durable")));
    await shared.until(() => shared.outcomes(2).length === 1);
    expect(shared.bodies("/log/2")).toBe("durable\n");
  });

  it("leaves a message alone that is a part of a larger buffer", async () => {
    await shared.openStream(3);
    const message = messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a"));
    const larger = Buffer.alloc(message.length + 20, 7);
    larger.set(message, 10);
    shared.store.append(3, larger.subarray(10, 10 + message.length));
    larger.fill(0);
    await shared.until(() => shared.outcomes(3).length === 1);
    expect(shared.outcomes(3)).toEqual(["accepted"]);
    expect(larger.length).toBe(message.length + 20);
  });

  it("takes nothing of a connection behind its disconnect", async () => {
    const { store } = shared;
    await shared.openStream(4);
    await shared.openStream(5);
    store.append(4, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "before")));
    store.disconnect(4);
    store.append(4, messageOf(linesFrame({ epoch: 1, ordinal: 1, firstSeq: 1 }, "after")));
    store.append(5, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "other")));
    await shared.until(() => shared.outcomes(5).length === 1);
    expect(shared.bodies("/log/4")).toBe("before\n");
    expect(shared.bodies("/log/5")).toBe("other\n");
  });

  it("fences an older connection off when the stream is opened anew", async () => {
    const { store } = shared;
    await shared.openStream(6, "/log/moved");
    const again = await shared.openStream(7, "/log/moved");
    expect(again).toMatchObject({ epoch: 2, created: false });
    store.append(6, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "old")));
    store.append(7, messageOf(linesFrame({ epoch: 2, ordinal: 0, firstSeq: 0 }, "new")));
    await shared.until(() => shared.outcomes(7).length === 1);
    expect(shared.outcomes(6)).toEqual(["stale"]);
    expect(shared.outcomes(7)).toEqual(["accepted"]);
    expect(shared.bodies("/log/moved")).toBe("new\n");
  });

  it("commits what agents send while it prunes", async () => {
    const { store } = shared;
    await shared.openStream(8);
    const first = store.highWater + 1;
    for (let i = 0; i < 20; i++) {
      const frame = batchFrame({ epoch: 1, ordinal: i, firstSeq: i }, [
        { body: randomBytes(9_999) },
      ]);
      store.append(8, messageOf(frame));
    }
    await shared.until(() => shared.outcomes(8).length === 20);
    const pruned = store.prune({
      visibility: { policy: retentionPolicySchema.parse({}), cutoffs: { default: 0 as TimeUs } },
      batchIds: Array.from({ length: 20 }, (_, i) => first + i),
      segmentIds: [],
      segmentParts: [],
      job: { dueUs: 1, startedUs: 1, detail: "" },
    });
    store.append(8, messageOf(linesFrame({ epoch: 1, ordinal: 20, firstSeq: 20 }, "meanwhile")));
    expect((await pruned).batches).toBe(20);
    await shared.until(() => shared.outcomes(8).length === 21);
    expect(shared.bodies("/log/8")).toBe("meanwhile\n");
  });

  it("is not opened twice", async () => {
    const error: unknown = await shared.open().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: "data-locked" });
  });
});

describe("a store that is closed and opened", () => {
  it("has committed what was pending, and goes on where it ended", async () => {
    await using site = await Site.open();
    const { storeId } = site.store;
    await site.openStream(1);
    const frame = linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0, cursor: "c1" }, "a", "b");
    site.store.append(1, messageOf(frame));
    await site.close();
    expect(statSync(site.folder.at("head.db-wal"), { throwIfNoEntry: false })).toBeUndefined();
    expect(site.bodies("/log/1")).toBe("a\nb\n");
    expect(site.failures).toEqual([]);
    await site.open();
    expect(site.store.storeId).toBe(storeId);
    expect(site.store.highWater).toBe(1);
    const { unfinished } = await site.store.introduce(AGENT);
    expect(unfinished).toMatchObject([{ source: "/log/1", generation: 1, nextSeq: 2 }]);
    const opened = await site.openStream(1);
    expect(opened).toMatchObject({ epoch: 2, ordinal: 1, nextSeq: 2, created: false });
    expect(Buffer.from(opened.cursor).toString()).toBe("c1");
  });

  it("lets go of its folder when the file in it is refused", async () => {
    await using site = await Site.open();
    await site.close();
    const path = site.folder.at("head.db");
    const whole = readFileSync(path);
    writeFileSync(path, "not a database, but long enough to look like one".repeat(100));
    for (let attempt = 0; attempt < 2; attempt++) {
      const error: unknown = await site.open().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "data-corrupt" });
    }
    writeFileSync(path, whole);
    await site.open();
    expect(site.store.highWater).toBe(0);
  });

  it("acknowledges nothing more once a commit has failed, and says why", async () => {
    await using site = new Site();
    // The disk's own failure is not at hand here: a trigger fails the statement in its place.
    const db = openHeadForWriting(site.folder.at("head.db"));
    db.exec(
      "CREATE TRIGGER full BEFORE INSERT ON batches BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    db.close();
    await site.open();
    await site.openStream(1);
    const frame = linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a");
    site.store.append(1, messageOf(frame));
    await site.until(() => site.failures.length > 0);
    expect(site.failures[0]).toMatchObject({ code: "commit-failed" });
    expect(site.failures[0]?.message).toContain("disk full");
    await expect(site.store.introduce(AGENT)).rejects.toBe(site.failures[0]);
    site.store.append(1, messageOf(frame));
    await site.close();
    expect(site.reports).toEqual([]);
    expect(site.bodies("/log/1")).toBe("");
  });
});

describe("the WAL", () => {
  it("is folded into the database while commits go on", async () => {
    const path = shared.folder.at("head.db");
    const before = statSync(path).size;
    const watcher = watch(path);
    const noise = randomBytes(1_000_000);
    await shared.openStream(20);
    for (let i = 0; i < 34; i++) {
      const frame = batchFrame({ epoch: 1, ordinal: i, firstSeq: i * 4 }, slices(noise));
      shared.store.append(20, messageOf(frame));
      await shared.until(() => shared.outcomes(20).length === i + 1);
    }
    // The checkpoint of the first 32 MiB runs in a thread of its own: the file grows meanwhile.
    while (statSync(path).size < before + 16_000_000) {
      await once(watcher, "change");
    }
    watcher.close();
    expect(shared.failures).toEqual([]);
    expect(shared.outcomes(20).every((kind) => kind === "accepted")).toBe(true);
  });
});

/** Four records of a quarter each: one may hold 256 KiB. */
function slices(bytes: Buffer) {
  return [0, 1, 2, 3].map((i) => ({ body: bytes.subarray(i * 250_000, (i + 1) * 250_000) }));
}

describe("reading beside a collector", () => {
  it("describes a store from empty to full", async () => {
    await using site = await Site.open();
    const { store, folder } = site;
    await using reader = openStoreReader(folder.path);
    expect(reader.storeId).toBe(store.storeId);
    expect(reader.highWater).toBe(0);
    expect(reader.agents()).toEqual([]);
    expect(reader.stats()).toMatchObject({ batches: 0, records: 0, oldestReceivedUs: undefined });

    await site.openStream(1);
    store.append(
      1,
      messageOf(
        batchFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, [
          { body: "one", timeUs: 70, severity: 9 },
          { body: "two", timeUs: 60, severity: 17 },
        ]),
        gapFrame({ epoch: 1, ordinal: 1, firstSeq: 2 }, 4),
        finalFrame({ epoch: 1, ordinal: 2, firstSeq: 6 }),
      ),
    );
    await site.until(() => site.reports.length === 1);
    expect(reader.highWater).toBe(1);
    expect(reader.agents()).toMatchObject([AGENT]);
    expect(reader.streams()).toMatchObject([
      {
        host: "web-1",
        source: "/log/1",
        generation: 1,
        labels: { env: "prod" },
        isFinished: true,
        records: 2,
        bytes: 8,
        filteredRecords: 3,
        filteredBytes: 40,
        gaps: 1,
        lastTimeUs: 60,
      },
    ]);
    expect(reader.gaps()).toMatchObject([
      {
        host: "web-1",
        seq: 2,
        cause: "truncated",
        range: { fromByte: 10, bytes: 20 },
        detail: "cut while it was read",
        records: 4,
        noticedUs: 5,
      },
    ]);
    const [batch] = reader.parts();
    expect(batch).toMatchObject({
      place: { kind: "batch", batch: 1 },
      records: 2,
      severities: (1 << 9) | (1 << 17),
    });
    const stats = reader.stats();
    expect(stats).toMatchObject({ agents: 1, streams: 1, batches: 1, records: 2, bodyBytes: 8 });
    expect(stats.payloadBytes).toBe(batch?.bytes);
    expect(stats.oldestReceivedUs).toBe(batch?.firstReceivedUs);
    const wal = statSync(folder.at("head.db-wal")).size;
    expect(stats.diskBytes).toBeGreaterThanOrEqual(statSync(folder.at("head.db")).size + wal);

    const visibility = { policy: retentionPolicySchema.parse({}), cutoffs: {} };
    const prune = (batchIds: number[], detail: string) =>
      store.prune({
        visibility,
        batchIds,
        segmentIds: [],
        segmentParts: [],
        job: { dueUs: 5, startedUs: 6, detail },
      });
    // A look that found nothing to drop is no job.
    await prune([], "nothing to do");
    await prune([1], "one batch");
    expect(reader.jobs()).toMatchObject([
      { kind: "prune", dueUs: 5, startedUs: 6, outcome: { batches: 1 }, detail: "one batch" },
    ]);
  });
});
