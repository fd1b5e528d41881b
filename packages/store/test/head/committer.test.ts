import { LIMITS } from "@sluice/protocol";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";

import { Committer, prepare } from "../../src/head/committer.ts";
import { type HeadDatabase, openHeadForWriting } from "../../src/head/head-file.ts";
import type { CommitReport, CommitRequest, WriterReply } from "../../src/head/writer-messages.ts";
import { Folder } from "../folder.ts";
import { linesFrame, messageOf } from "../frames.ts";

let folder: Folder;
let db: HeadDatabase;
let committer: Committer;

beforeEach(() => {
  folder = new Folder();
  db = openHeadForWriting(folder.at("head.db"));
  committer = new Committer(db);
});

afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

function commit(...requests: readonly CommitRequest[]): WriterReply[] {
  return committer.commit(requests.map(prepare), 1_000);
}

/** Connects an agent of its own that has opened `streams` streams, numbered from 0. */
function connect(connection: number, streams: number): void {
  const agent = { agentId: `a-${connection}`, host: "h", version: "1", labels: {} };
  const [reply] = commit({ kind: "introduce", id: 1, agent });
  if (reply?.kind !== "introduced") {
    throw new Error("no answer to an introduction");
  }
  const openings = Array.from({ length: streams }, (_, stream) => ({
    stream,
    source: `/var/log/${stream}`,
    generation: 1,
    initialCursor: Buffer.alloc(0),
    labels: {},
  }));
  commit({ kind: "open", id: 2, connection, agent: reply.agent, host: "h", openings });
}

test("an agent begins no more streams than it may leave unfinished, and takes up those that it has", () => {
  connect(1, 1);
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${LIMITS.unfinishedPerAgent - 2})
    INSERT INTO streams (agent, source, generation, host, labels, epoch, ordinal, next_seq, cursor)
    SELECT 1, '/many/' || i, 1, 'h', '{}', 1, 0, 0, x'' FROM n`);
  const opening = (stream: number, source: string) => ({
    stream,
    source,
    generation: 1,
    initialCursor: Buffer.alloc(0),
    labels: {},
  });
  const openings = [opening(0, "/new/0"), opening(1, "/new/1"), opening(2, "/var/log/0")];
  const [reply] = commit({ kind: "open", id: 3, connection: 2, agent: 1, host: "h", openings });
  const begun = reply?.kind === "opened" ? reply.streams.map(({ stream }) => stream) : [];
  expect(begun).toEqual([0, 2]);
});

test("however many damaged messages of a connection a commit holds, its streams go back once", () => {
  connect(1, 2);
  const damaged = lines(0, 0, "a");
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  const { frames } = reportOf(commit(append(1, damaged), append(1, damaged), append(1, damaged)));
  expect(frames.map(({ stream, outcome }) => [stream, outcome.kind])).toEqual([
    [0, "reset"],
    [1, "reset"],
  ]);
});

function append(connection: number, message: Uint8Array): CommitRequest {
  return { kind: "append", connection, message };
}

function lines(stream: number, ordinal: number, ...texts: string[]): Uint8Array {
  return messageOf(linesFrame({ stream, epoch: 1, ordinal, firstSeq: ordinal }, ...texts));
}

function reportOf(replies: readonly WriterReply[]): CommitReport {
  const [reply] = replies;
  if (replies.length !== 1 || reply?.kind !== "committed") {
    throw new Error(`expected one report, got ${replies.map(({ kind }) => kind).join()}`);
  }
  return reply.report;
}

function outcomes(report: CommitReport): string[] {
  return report.frames.map((f) => `${f.connection}/${f.stream} ${f.outcome.kind}`);
}

function storedBatches(): unknown {
  return db.prepare("SELECT count(*) FROM batches").pluck().get();
}

describe("shedding", () => {
  it("sends all streams of the connection back to what is stored, and no other's", () => {
    connect(1, 2);
    connect(2, 1);
    const report = reportOf(
      commit(
        append(1, lines(0, 0, "a")),
        { kind: "shed", connection: 1, reason: "overloaded" },
        append(2, lines(0, 0, "b")),
      ),
    );
    expect(outcomes(report)).toEqual(["1/0 accepted", "1/0 reset", "1/1 reset", "2/0 accepted"]);
    const resets = report.frames.flatMap(({ outcome }) =>
      outcome.kind === "reset" ? [[outcome.reason, outcome.position.nextSeq]] : [],
    );
    expect(resets).toEqual([
      ["overloaded", 1],
      ["overloaded", 0],
    ]);
  });
});

describe("committing for several connections", () => {
  it("puts the frames of all of them into one transaction, in the order of their arrival", () => {
    connect(1, 2);
    connect(2, 1);
    const report = reportOf(
      commit(
        append(1, lines(0, 0, "a")),
        append(2, lines(0, 0, "b")),
        append(
          1,
          messageOf(
            ...[0, 1].map((o) => linesFrame({ stream: 1, epoch: 1, ordinal: o, firstSeq: o }, "c")),
          ),
        ),
      ),
    );
    expect(outcomes(report)).toEqual([
      "1/0 accepted",
      "2/0 accepted",
      "1/1 accepted",
      "1/1 accepted",
    ]);
    expect(report.highWater).toBe(4);
    expect(committer.highWater).toBe(4);
    const received = db.prepare("SELECT DISTINCT received_us FROM batches").pluck().all();
    expect(received).toEqual([1_000]);
  });

  it("adds up the bytes of each connection's messages, those of refused ones included", () => {
    connect(1, 1);
    connect(2, 1);
    const first = lines(0, 0, "a");
    const second = lines(0, 7, "does not fit");
    const noise = Uint8Array.of(1, 2, 3);
    const expected = [
      [1, first.length + second.length],
      [2, noise.length],
    ];
    const report = reportOf(commit(append(1, first), append(1, second), append(2, noise)));
    expect([...report.messageBytes]).toEqual(expected);
  });

  it("says nothing of a commit that took in no message", () => {
    expect(commit({ kind: "disconnect", connection: 5 })).toEqual([]);
  });

  it("reports the highest batch id of before where nothing was accepted", () => {
    connect(1, 1);
    commit(append(1, lines(0, 0, "a")));
    expect(reportOf(commit(append(1, lines(0, 9, "misplaced")))).highWater).toBe(1);
  });

  it("finds the highest batch id again after a restart, though the batch is gone", () => {
    connect(1, 1);
    commit(append(1, lines(0, 0, "a")), append(1, lines(0, 1, "b")));
    db.exec("DELETE FROM batches");
    expect(new Committer(db).highWater).toBe(2);
  });
});

describe("messages that cannot be taken", () => {
  it("blames the connection for one that is not frames", () => {
    connect(1, 1);
    const report = reportOf(commit(append(1, Buffer.from("GET / HTTP/1.1"))));
    expect(report.malformed).toHaveLength(1);
    expect(report.malformed[0]).toMatchObject({ connection: 1 });
    expect(report.frames).toEqual([]);
  });

  it("sends all streams of a connection back for one that was damaged on the way", () => {
    connect(1, 3);
    connect(2, 1);
    const damaged = lines(1, 0, "some text that is long enough");
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 0x40;
    const report = reportOf(commit(append(1, damaged), append(2, lines(0, 0, "unharmed"))));
    expect(outcomes(report)).toEqual(["1/0 reset", "1/1 reset", "1/2 reset", "2/0 accepted"]);
    expect(report.frames[0]?.outcome).toMatchObject({ reason: "corrupt", position: { epoch: 2 } });
    expect(db.prepare("SELECT epoch FROM streams ORDER BY id").pluck().all()).toEqual([2, 2, 2, 1]);
  });

  it("passes over a stream number that the connection has not opened", () => {
    connect(1, 1);
    const report = reportOf(
      commit(
        append(
          1,
          messageOf(
            linesFrame({ stream: 8, epoch: 1, ordinal: 0, firstSeq: 0 }, "whose?"),
            linesFrame({ stream: 0, epoch: 1, ordinal: 0, firstSeq: 0 }, "mine"),
          ),
        ),
      ),
    );
    expect(outcomes(report)).toEqual(["1/0 accepted"]);
    expect(storedBatches()).toBe(1);
  });

  it("takes nothing more of a connection that is gone, but returns its bytes", () => {
    connect(1, 1);
    const message = lines(0, 0, "late");
    const bytes = message.length;
    const report = reportOf(commit({ kind: "disconnect", connection: 1 }, append(1, message)));
    expect(report.frames).toEqual([]);
    expect(report.messageBytes.get(1)).toBe(bytes);
    expect(storedBatches()).toBe(0);
  });

  it("stores nothing at all where the transaction fails", () => {
    connect(1, 1);
    db.exec(
      "CREATE TRIGGER full BEFORE INSERT ON batches WHEN NEW.first_seq = 1 BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    expect(() => commit(append(1, lines(0, 0, "a")), append(1, lines(0, 1, "b")))).toThrow(
      "disk full",
    );
    expect(storedBatches()).toBe(0);
    expect(committer.highWater).toBe(0);
  });
});
