import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, watch, writeFileSync } from "node:fs";
import { decodeColumns, decompressPayload } from "@sluice/protocol";
import type { TimeUs } from "@sluice/quantity";
import { retentionPolicySchema } from "@sluice/retention";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { StoreError } from "../src/errors.ts";
import { openStoreReader } from "../src/head-reader.ts";
import { openHeadForReading } from "../src/head-file.ts";
import { Store } from "../src/store.ts";
import type { CommitReport } from "../src/writer-messages.ts";
import { Folder } from "./folder.ts";
import { batchFrame, finalFrame, gapFrame, linesFrame, messageOf } from "./frames.ts";

const AGENT = { agentId: "a-1", host: "web-1", version: "1.0.0", labels: { env: "prod" } };

/** The reports of a store, as they come. */
class Reports {
  readonly all: CommitReport[] = [];
  readonly failures: StoreError[] = [];
  #wake: () => void = () => undefined;

  committed(report: CommitReport): void {
    this.all.push(report);
    this.#wake();
  }

  failed(error: StoreError): void {
    this.failures.push(error);
    this.#wake();
  }

  async until(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  get outcomes(): string[] {
    return this.all.flatMap(({ frames }) => frames.map(({ outcome }) => outcome.kind));
  }
}

let folder: Folder;
let reports: Reports;
let store: Store;

beforeEach(async () => {
  folder = new Folder();
  reports = new Reports();
  store = await openStore();
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function openStore(): Promise<Store> {
  return Store.open(folder.path, {
    committed: (report) => reports.committed(report),
    failed: (error) => reports.failed(error),
  });
}

async function openStream(connection: number, source = "/var/log/syslog") {
  const { agent } = await store.introduce(AGENT);
  const initialCursor = Buffer.from("begin");
  const [opened] = await store.openStreams(connection, agent, AGENT.host, [
    { stream: 0, source, generation: 1, initialCursor, labels: { env: "prod" } },
  ]);
  if (opened === undefined) {
    throw new Error("nothing was opened");
  }
  return opened;
}

function storedBodies(): string {
  const db = openHeadForReading(folder.at("head.db"));
  const rows = db.prepare("SELECT payload, raw_bytes, count FROM batches ORDER BY id").all() as {
    payload: Buffer;
    raw_bytes: number;
    count: number;
  }[];
  db.close();
  return rows
    .map(({ payload, raw_bytes, count }) => {
      const raw = decompressPayload(payload, raw_bytes);
      const columns = raw.ok ? decodeColumns(raw.value, count) : raw;
      return columns.ok ? Buffer.from(columns.value.bodies).toString() : "damaged\n";
    })
    .join("");
}

describe("a store that is written to", () => {
  it("reports frames as committed in the order in which they were appended", async () => {
    await openStream(1);
    for (let i = 0; i < 100; i++) {
      store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: i, firstSeq: i }, `line ${i}`)));
    }
    await reports.until(() => reports.outcomes.length === 100);
    expect(reports.outcomes.every((kind) => kind === "accepted")).toBe(true);
    expect(storedBodies()).toBe(Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join(""));
    expect(store.highWater).toBe(100);
    // Far fewer commits than frames: those that come close together share one fsync.
    expect(reports.all.length).toBeLessThan(20);
  });

  it("has the frames in the file by the time it reports them", async () => {
    await openStream(1);
    store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "durable")));
    await reports.until(() => reports.all.length === 1);
    expect(storedBodies()).toBe("durable\n");
  });

  it("leaves a message alone that is a part of a larger buffer", async () => {
    await openStream(1);
    const message = messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a"));
    const larger = Buffer.alloc(message.length + 20, 7);
    larger.set(message, 10);
    store.append(1, larger.subarray(10, 10 + message.length));
    larger.fill(0);
    await reports.until(() => reports.all.length === 1);
    expect(reports.outcomes).toEqual(["accepted"]);
    expect(larger.length).toBe(message.length + 20);
  });

  it("takes nothing of a connection behind its disconnect", async () => {
    await openStream(1);
    await openStream(2, "/var/log/other");
    store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "before")));
    store.disconnect(1);
    store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: 1, firstSeq: 1 }, "after")));
    store.append(2, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "other")));
    await reports.until(() => reports.outcomes.length === 2);
    expect(storedBodies()).toBe("before\nother\n");
  });

  it("fences an older connection off when the stream is opened anew", async () => {
    await openStream(1);
    const again = await openStream(2);
    expect(again).toMatchObject({ epoch: 2, created: false });
    store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "old")));
    store.append(2, messageOf(linesFrame({ epoch: 2, ordinal: 0, firstSeq: 0 }, "new")));
    await reports.until(() => reports.outcomes.length === 2);
    expect(reports.outcomes).toEqual(["stale", "accepted"]);
    expect(storedBodies()).toBe("new\n");
  });

  it("commits what is pending before it closes, and leaves no WAL behind", async () => {
    await openStream(1);
    store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "last words")));
    await store[Symbol.asyncDispose]();
    expect(statSync(folder.at("head.db-wal"), { throwIfNoEntry: false })).toBeUndefined();
    expect(storedBodies()).toBe("last words\n");
    expect(reports.failures).toEqual([]);
  });

  it("goes on under the same name where it ended", async () => {
    const { storeId } = store;
    await openStream(1);
    store.append(
      1,
      messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0, cursor: "c1" }, "a", "b")),
    );
    await store[Symbol.asyncDispose]();
    store = await openStore();
    expect(store.storeId).toBe(storeId);
    expect(store.highWater).toBe(1);
    const { unfinished } = await store.introduce(AGENT);
    expect(unfinished).toMatchObject([{ source: "/var/log/syslog", generation: 1, nextSeq: 2 }]);
    const opened = await openStream(1);
    expect(opened).toMatchObject({ epoch: 2, ordinal: 1, nextSeq: 2, created: false });
    expect(Buffer.from(opened.cursor).toString()).toBe("c1");
  });

  it("commits what agents send while it prunes", async () => {
    await openStream(1);
    const noise = Buffer.alloc(200_000);
    for (let i = 0; i < 20; i++) {
      noise.forEach((_, at) => (noise[at] = 32 + ((at * 7919 + i * 104_729 + (at >> 5)) % 90)));
      const frame = batchFrame({ epoch: 1, ordinal: i, firstSeq: i }, [{ body: noise }]);
      store.append(1, messageOf(frame));
    }
    await reports.until(() => reports.outcomes.length === 20);
    const pruned = store.prune({
      visibility: { policy: retentionPolicySchema.parse({}), cutoffs: { default: 0 as TimeUs } },
      batchIds: Array.from({ length: 19 }, (_, i) => i + 1),
      job: { dueUs: 1, startedUs: 1, detail: "" },
    });
    store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: 20, firstSeq: 20 }, "meanwhile")));
    const result = await pruned;
    await reports.until(() => reports.outcomes.length === 21);
    expect(result.batches).toBe(19);
    expect(storedBodies().endsWith("meanwhile\n")).toBe(true);
  });
});

describe("the WAL", () => {
  it("is folded into the database while commits go on", async () => {
    await openStream(1);
    const path = folder.at("head.db");
    const watcher = watch(path);
    const noise = randomBytes(1_000_000);
    const frames = 40;
    for (let i = 0; i < frames; i++) {
      const frame = batchFrame({ epoch: 1, ordinal: i, firstSeq: i * 4 }, slices(noise));
      store.append(1, messageOf(frame));
      await reports.until(() => reports.outcomes.length === i + 1);
    }
    // The checkpoint of the first 32 MiB runs in a thread of its own: the file grows meanwhile.
    while (statSync(path).size < 16_000_000) {
      await once(watcher, "change");
    }
    watcher.close();
    expect(reports.failures).toEqual([]);
    expect(reports.outcomes.every((kind) => kind === "accepted")).toBe(true);
  });
});

/** Four records of a quarter each: one may hold 256 KiB. */
function slices(bytes: Buffer) {
  return [0, 1, 2, 3].map((i) => ({ body: bytes.subarray(i * 250_000, (i + 1) * 250_000) }));
}

describe("a store that cannot be written to", () => {
  it("is not opened twice", async () => {
    const error: unknown = await openStore().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: "data-locked" });
  });

  it("lets go of its folder when the file in it is refused", async () => {
    await store[Symbol.asyncDispose]();
    const path = folder.at("head.db");
    const whole = readFileSync(path);
    writeFileSync(path, "not a database, but long enough to look like one".repeat(100));
    for (let attempt = 0; attempt < 2; attempt++) {
      const error: unknown = await openStore().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "data-corrupt" });
    }
    writeFileSync(path, whole);
    store = await openStore();
    expect(store.highWater).toBe(0);
  });

  it("acknowledges nothing more once a commit has failed, and says why", async () => {
    await openStream(1);
    await store[Symbol.asyncDispose]();
    // The disk's own failure is not at hand here: a trigger fails the statement in its place.
    const db = new Database(folder.at("head.db"));
    db.exec(
      "CREATE TRIGGER full BEFORE INSERT ON batches BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    db.close();
    store = await openStore();
    await openStream(1);
    store.append(1, messageOf(linesFrame({ epoch: 2, ordinal: 0, firstSeq: 0 }, "a")));
    await reports.until(() => reports.failures.length > 0);
    expect(reports.failures[0]).toMatchObject({ code: "commit-failed" });
    expect(reports.failures[0]?.message).toContain("disk full");
    await expect(store.introduce(AGENT)).rejects.toBe(reports.failures[0]);
    store.append(1, messageOf(linesFrame({ epoch: 2, ordinal: 0, firstSeq: 0 }, "a")));
    await store[Symbol.asyncDispose]();
    expect(reports.all).toEqual([]);
    expect(storedBodies()).toBe("");
  });
});

describe("reading beside a collector", () => {
  it("describes what is stored", async () => {
    await openStream(1);
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
    await reports.until(() => reports.all.length === 1);
    await using reader = openStoreReader(folder.path);
    expect(reader.storeId).toBe(store.storeId);
    expect(reader.highWater).toBe(1);
    const [agent] = reader.agents();
    expect(agent).toMatchObject(AGENT);
    const [stream] = reader.streams();
    expect(stream).toMatchObject({
      host: "web-1",
      source: "/var/log/syslog",
      generation: 1,
      labels: { env: "prod" },
      isFinished: true,
      records: 2,
      bytes: 8,
      gaps: 1,
      lastTimeUs: 60,
    });
    expect(reader.gaps()).toMatchObject([
      {
        host: "web-1",
        seq: 2,
        cause: "truncated",
        range: { fromByte: 10, bytes: 20 },
        detail: "cut while it was read",
      },
    ]);
    const [batch] = reader.batches();
    expect(batch).toMatchObject({ batchId: 1, records: 2, severities: (1 << 9) | (1 << 17) });
    const stats = reader.stats();
    expect(stats).toMatchObject({ agents: 1, streams: 1, batches: 1, records: 2, bodyBytes: 8 });
    expect(stats.payloadBytes).toBe(batch?.bytes);
    expect(stats.oldestReceivedUs).toBe(batch?.firstReceivedUs);
    const wal = statSync(folder.at("head.db-wal")).size;
    expect(stats.diskBytes).toBeGreaterThanOrEqual(statSync(folder.at("head.db")).size + wal);
  });

  it("says of an empty store that it is empty", async () => {
    await using reader = openStoreReader(folder.path);
    expect(reader.highWater).toBe(0);
    expect(reader.agents()).toEqual([]);
    expect(reader.stats()).toMatchObject({ batches: 0, records: 0, oldestReceivedUs: undefined });
  });

  it("tells of prunes that dropped something, and not of looks that found nothing", async () => {
    await openStream(1);
    store.append(1, messageOf(linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "one")));
    await reports.until(() => reports.outcomes.length === 1);
    const visibility = { policy: retentionPolicySchema.parse({}), cutoffs: {} };
    const prune = (batchIds: number[], detail: string) =>
      store.prune({ visibility, batchIds, job: { dueUs: 5, startedUs: 6, detail } });
    await prune([], "nothing to do");
    await prune([1], "one batch");
    await using reader = openStoreReader(folder.path);
    expect(reader.jobs()).toMatchObject([
      { kind: "prune", dueUs: 5, startedUs: 6, outcome: { batches: 1 }, detail: "one batch" },
    ]);
  });
});
