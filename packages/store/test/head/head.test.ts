import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { checkFrame } from "../../src/head/frame-check.ts";
import { type HeadDatabase, openHeadForWriting } from "../../src/head/head-file.ts";
import { Head } from "../../src/head/head.ts";
import { Folder } from "../folder.ts";
import { batchFrame, finalFrame, gapFrame, linesFrame } from "../frames.ts";

const AGENT = { agentId: "a-1", host: "web-1", version: "1.0.0", labels: { env: "prod" } };
const OPENING = {
  source: "/var/log/syslog",
  generation: 1,
  initialCursor: Buffer.from("begin"),
  labels: { env: "prod" },
};

let folder: Folder;
let db: HeadDatabase;
let head: Head;

beforeEach(() => {
  folder = new Folder();
  db = openHeadForWriting(folder.at("head.db"));
  head = new Head(db);
});

afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

function open(): { streamId: number; epoch: number } {
  return head.transaction(() => {
    const { agent } = head.introduce(AGENT, 1);
    return head.open(agent, AGENT.host, OPENING);
  });
}

function append(streamId: number, frame: Parameters<typeof checkFrame>[0], receivedUs = 10) {
  return head.transaction(() => head.append(streamId, checkFrame(frame), receivedUs));
}

function streamRow(streamId: number): Record<string, unknown> {
  return db.prepare("SELECT * FROM streams WHERE id = ?").get(streamId) as Record<string, unknown>;
}

function count(table: "batches" | "gaps"): unknown {
  return db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
}

describe("opening a stream", () => {
  it("commits the initial cursor of a new one", () => {
    const { streamId } = open();
    expect(streamRow(streamId)).toMatchObject({ epoch: 1, ordinal: 0, next_seq: 0, finished: 0 });
    expect(streamRow(streamId)["cursor"]).toEqual(Buffer.from("begin"));
  });

  it("begins a new epoch each time, at the place where the last one ended", () => {
    const first = open();
    append(
      first.streamId,
      linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0, cursor: "c1" }, "a", "b"),
    );
    const again = open();
    expect(again).toMatchObject({
      streamId: first.streamId,
      created: false,
      epoch: 2,
      ordinal: 1,
      nextSeq: 2,
    });
    expect(Buffer.from((again as unknown as { cursor: Uint8Array }).cursor).toString()).toBe("c1");
    expect(open().epoch).toBe(3);
  });

  it("gives the stream the host and the labels that its agent has now", () => {
    const { streamId } = open();
    head.transaction(() => {
      const { agent } = head.introduce(AGENT, 2);
      head.open(agent, "web-one", { ...OPENING, labels: { env: "staging" } });
    });
    expect(streamRow(streamId)).toMatchObject({ host: "web-one", labels: '{"env":"staging"}' });
  });

  it("takes no frame of the epoch before, without a second reset", () => {
    const { streamId } = open();
    open();
    const outcome = append(streamId, linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "late"));
    expect(outcome).toEqual({ kind: "stale" });
    expect(streamRow(streamId)).toMatchObject({ epoch: 2, next_seq: 0 });
    expect(count("batches")).toBe(0);
  });
});

describe("appending", () => {
  it("stores a batch with what its records say, and moves the stream", () => {
    const { streamId } = open();
    const records = [
      { body: "one", timeUs: 500, severity: 9 },
      { body: "three", timeUs: 300, severity: 17 },
    ];
    const outcome = append(
      streamId,
      batchFrame({ epoch: 1, ordinal: 0, firstSeq: 0, cursor: "c1" }, records),
      77,
    );
    expect(outcome).toMatchObject({
      kind: "accepted",
      batchId: 1,
      position: { epoch: 1, ordinal: 1, nextSeq: 2 },
    });
    expect(db.prepare("SELECT * FROM batches").get()).toMatchObject({
      first_seq: 0,
      count: 2,
      min_time_us: 300,
      max_time_us: 500,
      received_us: 77,
      severities: (1 << 9) | (1 << 17),
      body_bytes: "one\nthree\n".length,
    });
    expect(streamRow(streamId)).toMatchObject({
      ordinal: 1,
      next_seq: 2,
      records: 2,
      body_bytes: 10,
      last_time_us: 300,
      last_received_us: 77,
    });
  });

  it("resets the stream for a frame that does not fit, and stores nothing of it", () => {
    const { streamId } = open();
    const outcome = append(streamId, linesFrame({ epoch: 1, ordinal: 1, firstSeq: 4 }, "gone"));
    expect(outcome).toMatchObject({
      kind: "reset",
      reason: "out_of_sequence",
      position: { epoch: 2, ordinal: 0, nextSeq: 0 },
    });
    expect(count("batches")).toBe(0);
    expect(streamRow(streamId)["epoch"]).toBe(2);
  });

  it("takes the rest of a message for stale after a frame of it was reset", () => {
    const { streamId } = open();
    const outcomes = head.transaction(() =>
      [1, 2, 3].map((ordinal) =>
        head.append(
          streamId,
          checkFrame(linesFrame({ epoch: 1, ordinal, firstSeq: ordinal }, "x")),
          1,
        ),
      ),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(["reset", "stale", "stale"]);
    expect(streamRow(streamId)["epoch"]).toBe(2);
  });

  it("rejects a batch that cannot be decoded, under a new epoch", () => {
    const { streamId } = open();
    const frame = linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a");
    const outcome = append(streamId, { ...frame, payload: Buffer.from("not zstd") });
    expect(outcome).toMatchObject({
      kind: "rejected",
      code: "bad_compression",
      position: { epoch: 2, ordinal: 0, nextSeq: 0 },
    });
    expect(count("batches")).toBe(0);
  });

  it("does not trust a header about its records' times", () => {
    const { streamId } = open();
    const frame = linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a", "b");
    const outcome = append(streamId, { ...frame, maxTimeUs: frame.maxTimeUs + 1 });
    expect(outcome).toMatchObject({ kind: "rejected", code: "header_mismatch" });
  });

  it("prefers to call a misplaced frame misplaced, though it cannot be decoded", () => {
    const { streamId } = open();
    const frame = linesFrame({ epoch: 1, ordinal: 9, firstSeq: 0 }, "a");
    const outcome = append(streamId, { ...frame, payload: Buffer.from("not zstd") });
    expect(outcome.kind).toBe("reset");
  });

  it("records a gap, and moves the sequence over the records that it counts", () => {
    const { streamId } = open();
    const outcome = append(streamId, gapFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, 12), 9);
    expect(outcome).toMatchObject({
      kind: "accepted",
      batchId: undefined,
      position: { ordinal: 1, nextSeq: 12 },
    });
    expect(db.prepare("SELECT * FROM gaps").get()).toMatchObject({
      stream: streamId,
      seq: 0,
      cause: "truncated",
      range: JSON.stringify({ fromByte: 10, bytes: 20 }),
      received_us: 9,
    });
    expect(streamRow(streamId)).toMatchObject({ next_seq: 12, gaps: 1, records: 0 });
  });

  it("moves the cursor over bytes without records, and knows a stream's end", () => {
    const { streamId } = open();
    append(streamId, finalFrame({ epoch: 1, ordinal: 0, firstSeq: 0, cursor: "end" }));
    expect(streamRow(streamId)).toMatchObject({
      ordinal: 1,
      next_seq: 0,
      filtered_records: 3,
      filtered_bytes: 40,
      finished: 1,
    });
    expect(streamRow(streamId)["cursor"]).toEqual(Buffer.from("end"));
    const { unfinished } = head.transaction(() => head.introduce(AGENT, 2));
    expect(unfinished).toEqual([]);
  });

  it("tells a returning agent which streams it had not finished, and where they stand", () => {
    const { streamId } = open();
    append(streamId, linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0, cursor: "c1" }, "a"));
    const { unfinished } = head.transaction(() => head.introduce(AGENT, 2));
    expect(unfinished).toEqual([
      { source: OPENING.source, generation: 1, nextSeq: 1, cursor: Buffer.from("c1") },
    ]);
  });

  it("keeps its own copy of a cursor, not the message around it", () => {
    const { streamId } = open();
    const message = new Uint8Array(4096);
    const cursor = message.subarray(10, 14);
    const frame = { ...linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a"), cursor };
    const outcome = append(streamId, frame);
    expect(outcome.kind === "accepted" && outcome.position.cursor.buffer.byteLength).toBe(4);
  });
});

describe("a failed transaction", () => {
  it("stores nothing and forgets the positions that it would have moved", () => {
    const { streamId } = open();
    const first = linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a");
    expect(() =>
      head.transaction(() => {
        head.append(streamId, checkFrame(first), 1);
        db.prepare("INSERT INTO batches (stream) VALUES (NULL)").run();
      }),
    ).toThrow(/NOT NULL/);
    expect(count("batches")).toBe(0);
    // The same frame fits again, and the one behind it did not slip in front.
    expect(append(streamId, first)).toMatchObject({ kind: "accepted", position: { ordinal: 1 } });
  });

  it("leaves the epoch as it was where a reset was part of it", () => {
    const { streamId } = open();
    expect(() =>
      head.transaction(() => {
        head.reset(streamId, "corrupt");
        throw new Error("disk");
      }),
    ).toThrow("disk");
    const outcome = append(streamId, linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a"));
    expect(outcome.kind).toBe("accepted");
  });
});

describe("receipt time", () => {
  it("never decreases, whatever the clock does", () => {
    expect([100, 90, 100, 250, 1].map((clockUs) => head.receiptTime(clockUs))).toEqual([
      100, 100, 100, 250, 250,
    ]);
  });

  it("goes on from the newest stored record after a restart", () => {
    const { streamId } = open();
    append(streamId, linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a"), 5_000);
    expect(new Head(db).receiptTime(10)).toBe(5_000);
  });

  it("goes on from there also when every batch has been pruned", () => {
    const { streamId } = open();
    append(streamId, linesFrame({ epoch: 1, ordinal: 0, firstSeq: 0 }, "a"), 5_000);
    append(streamId, gapFrame({ epoch: 1, ordinal: 1, firstSeq: 1 }), 6_000);
    db.exec("DELETE FROM batches");
    expect(new Head(db).receiptTime(10)).toBe(6_000);
  });
});
