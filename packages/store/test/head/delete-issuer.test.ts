import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { DeleteIssuer } from "../../src/head/delete-issuer.ts";
import { openHeadForWriting, truncateWal } from "../../src/head/head-file.ts";
import { applySwap } from "../../src/manifest/swap.ts";
import { Folder } from "../folder.ts";
import { addStream } from "../manifest-rows.ts";

function issuerOn(path: string) {
  const db = openHeadForWriting(path);
  addStream(db);
  return { db, issuer: new DeleteIssuer(db, { closeReceipts: () => 7 }) };
}

const ORDER = { query: "x", fromUs: undefined, untilUs: undefined, issuedUs: 1 };

describe("a delete that is not done", () => {
  it("has the writer overwrite what it frees, also after a restart", () => {
    using folder = new Folder();
    const { db, issuer } = issuerOn(folder.at("head.db"));
    expect(issuer.hasUndone).toBe(false);
    expect(db.pragma("secure_delete", { simple: true })).toBe(2); // FAST
    const { id } = issuer.issue(ORDER);
    expect(db.pragma("secure_delete", { simple: true })).toBe(1);
    db.close();
    const again = issuerOn(folder.at("head.db"));
    expect(again.issuer.hasUndone).toBe(true);
    expect(again.db.pragma("secure_delete", { simple: true })).toBe(1);
    applySwap(again.db, {
      add: [],
      removeBatches: [],
      removeSegments: [],
      removed: [],
      deletesSeen: undefined,
      deletesDone: [id],
      job: undefined,
    });
    again.issuer.setOverwriting();
    expect(again.db.pragma("secure_delete", { simple: true })).toBe(2);
    again.db.close();
  });

  it("leaves nothing of a payload behind the end of one that takes its pages", () => {
    using folder = new Folder();
    const path = folder.at("head.db");
    const { db, issuer } = issuerOn(path);
    const insert = db.prepare(
      `INSERT INTO batches (stream, first_seq, count, min_time_us, max_time_us, received_us, severities, body_bytes, raw_bytes, payload)
       VALUES (1, 0, 1, 0, 0, 0, 1, 1, 1, ?)`,
    );
    const payload = randomBytes(40_000);
    insert.run(payload);
    issuer.issue(ORDER);
    db.exec("DELETE FROM batches");
    insert.run(randomBytes(38_000)); // of as many pages, and shorter
    truncateWal(db);
    const file = readFileSync(path);
    for (let at = 0; at + 16 <= payload.length; at += 50) {
      expect(file.includes(payload.subarray(at, at + 16))).toBe(false);
    }
    db.close();
  });

  it("takes what was received up to a moment, and none that lies ahead", () => {
    using folder = new Folder();
    const { db, issuer } = issuerOn(folder.at("head.db"));
    expect(issuer.issue({ ...ORDER, receivedUs: 3 }).receivedUs).toBe(3);
    expect(issuer.issue({ ...ORDER, receivedUs: 30 }).receivedUs).toBe(7);
    db.close();
  });
});
