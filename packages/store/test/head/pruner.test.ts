import { statSync } from "node:fs";
import type { TimeUs } from "@sluice/quantity";
import { retentionPolicySchema } from "@sluice/retention";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Committer, prepare } from "../../src/head/committer.ts";
import {
  type HeadDatabase,
  openHeadForReading,
  openHeadForWriting,
} from "../../src/head/head-file.ts";
import { type PruneOrder, Pruner, type PruneResult } from "../../src/head/pruner.ts";
import { Folder } from "../folder.ts";
import { linesFrame, messageOf } from "../frames.ts";

const MIB = 1024 * 1024;
const VISIBILITY = {
  policy: retentionPolicySchema.parse({ keep: "1h" }),
  cutoffs: { default: 123_456 as TimeUs },
};
const JOB = { dueUs: 10, startedUs: 11, detail: "by age" };

let folder: Folder;
let path: string;
let db: HeadDatabase;

beforeEach(() => {
  folder = new Folder();
  path = folder.at("head.db");
  db = openHeadForWriting(path);
});

afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

/** Batches of incompressible bytes; their content does not matter to a prune. */
function fill(batches: number, bytes: number): number[] {
  db.exec(`
    INSERT OR IGNORE INTO agents VALUES (1, 'a', 'h', '1', '{}', 1, 1);
    INSERT OR IGNORE INTO streams (id, agent, source, generation, host, labels, epoch, ordinal, next_seq, cursor)
      VALUES (1, 1, 's', 1, 'h', '{}', 1, 0, 0, x'');
  `);
  const insert = db
    .prepare(
      `INSERT INTO batches (stream, first_seq, count, min_time_us, max_time_us, received_us, severities, body_bytes, raw_bytes, payload)
       VALUES (1, 0, 1, 0, 0, 0, 1, 1, 1, randomblob(?)) RETURNING id`,
    )
    .pluck();
  return db.transaction(() => Array.from({ length: batches }, () => insert.get(bytes) as number))();
}

function order(batchIds: readonly number[]): PruneOrder {
  return { visibility: VISIBILITY, batchIds, job: JOB };
}

function finish(prune: Generator<undefined, PruneResult>): PruneResult {
  for (;;) {
    const step = prune.next();
    if (step.done === true) {
      return step.value;
    }
  }
}

function storedIds(): unknown[] {
  const reader = openHeadForReading(path);
  const ids = reader.prepare("SELECT id FROM batches ORDER BY id").pluck().all();
  reader.close();
  return ids;
}

describe("a prune", () => {
  it("hides what is past its time before it removes anything", () => {
    const ids = fill(2, 100);
    const prune = new Pruner(db).run(order(ids));
    expect(prune.next().done).toBe(false);
    const reader = openHeadForReading(path);
    const text = reader.prepare("SELECT value FROM meta WHERE key = 'visibility'").pluck().get();
    reader.close();
    expect(JSON.parse(String(text))).toEqual(VISIBILITY);
    expect(storedIds()).toEqual(ids);
    finish(prune);
    expect(storedIds()).toEqual([]);
  });

  it("removes 16 MiB at a time, and commits of agents go on in between", () => {
    const ids = fill(40, MIB);
    const committer = new Committer(db);
    const agent = { agentId: "b", host: "h", version: "1", labels: {} };
    committer.commit([{ kind: "introduce", id: 1, agent }], 1);
    const opening = { source: "t", generation: 1, initialCursor: Buffer.alloc(0), labels: {} };
    const openings = [{ stream: 0, ...opening }];
    committer.commit([{ kind: "open", id: 2, connection: 1, agent: 2, host: "h", openings }], 1);
    const prune = new Pruner(db).run(order(ids));
    const left: number[] = [];
    let ordinal = 0;
    while (prune.next().done !== true) {
      left.push(storedIds().filter((id) => ids.includes(id as number)).length);
      const message = messageOf(linesFrame({ epoch: 1, ordinal, firstSeq: ordinal }, "meanwhile"));
      const [reply] = committer.commit([prepare({ kind: "append", connection: 1, message })], 1);
      expect(reply?.kind === "committed" && reply.report.frames[0]?.outcome.kind).toBe("accepted");
      ordinal += 1;
    }
    expect(left.slice(0, 4)).toEqual([40, 24, 8, 0]);
    // The pages follow in slices as well.
    expect(left.length).toBeGreaterThanOrEqual(6);
    expect(storedIds()).toHaveLength(ordinal);
  });

  it("gives the space back as soon as it ends", () => {
    const ids = fill(24, MIB);
    db.pragma("wal_checkpoint(TRUNCATE)");
    const before = statSync(path).size;
    finish(new Pruner(db).run(order(ids.slice(4))));
    const after = statSync(path).size + statSync(`${path}-wal`).size;
    expect(before).toBeGreaterThan(24 * MIB);
    expect(after).toBeLessThan(5 * MIB);
    expect(db.pragma("freelist_count", { simple: true })).toBe(0);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  });

  it("records what it did, and passes over batches that are gone already", () => {
    const ids = fill(3, 1000);
    const first = finish(new Pruner(db).run(order([ids[0] as number])));
    const second = finish(new Pruner(db).run(order(ids)));
    expect(first).toMatchObject({ batches: 1, payloadBytes: 1000 });
    expect(second).toMatchObject({ batches: 2, payloadBytes: 2000 });
    const jobs = db.prepare("SELECT kind, due_us, started_us, outcome, detail FROM jobs").all();
    expect(jobs).toEqual([
      {
        kind: "prune",
        due_us: 10,
        started_us: 11,
        outcome: '{"batches":1,"payloadBytes":1000}',
        detail: "by age",
      },
      {
        kind: "prune",
        due_us: 10,
        started_us: 11,
        outcome: '{"batches":2,"payloadBytes":2000}',
        detail: "by age",
      },
    ]);
  });

  it("never gives a removed batch's id to another", () => {
    const ids = fill(3, 10);
    finish(new Pruner(db).run(order(ids)));
    expect(fill(1, 10)).toEqual([4]);
  });

  it("carries out an order that removes nothing", () => {
    expect(finish(new Pruner(db).run(order([])))).toMatchObject({ batches: 0, payloadBytes: 0 });
  });

  it("does not hold commits up while another process reads an old state", () => {
    const ids = fill(4, 100_000);
    const reader = openHeadForReading(path);
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM batches").get();
    const startedMs = performance.now();
    finish(new Pruner(db).run(order(ids)));
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    reader.exec("COMMIT");
    reader.close();
  });
});
