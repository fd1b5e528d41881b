import { FileSource } from "@sluice/tail";
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  decodeStreamCursor,
  difference,
  emptyLedger,
  encodeStreamCursor,
  type LedgerCounts,
  StreamLedger,
  unaccountedBytes,
} from "../src/stream-ledger.ts";
import { Folder } from "./folder.ts";

const MOST = Number.MAX_SAFE_INTEGER;

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder[Symbol.dispose]());

describe("a cursor with its ledger", () => {
  it.each<[string, LedgerCounts]>([
    ["nothing", emptyLedger(0)],
    ["a beginning within the file", emptyLedger(4096)],
    [
      "the largest numbers there are",
      {
        startByte: MOST,
        storedBytes: MOST,
        filteredBytes: MOST,
        filteredRecords: MOST,
        gapBytes: MOST,
        lostBytes: MOST,
      },
    ],
  ])("comes back as it was: %s", (_, counts) => {
    for (const source of [new Uint8Array(), Buffer.from('{"a":1}'), Uint8Array.of(0, 10, 255)]) {
      for (const isEnd of [false, true]) {
        const decoded = decodeStreamCursor(encodeStreamCursor({ counts, source, isEnd }));
        expect(decoded.counts).toEqual(counts);
        expect(decoded.isEnd).toBe(isEnd);
        expect([...decoded.source]).toEqual([...source]);
      }
    }
  });

  it("of an agent without ledgers has its accounts begin at it", async () => {
    writeFileSync(folder.at("app.log"), "one\ntwo\n");
    const created = FileSource.create({ include: [folder.at("app.log")], start: "end" });
    if (!created.ok) {
      throw new Error(created.error.detail);
    }
    await using source = created.value;
    await source.start();
    const [stream] = source.streams();
    const cursor = stream?.initialCursor ?? new Uint8Array();
    expect(decodeStreamCursor(cursor)).toEqual({
      counts: emptyLedger(8),
      source: cursor,
      isEnd: false,
    });
  });
});

describe("the accounts of a stream", () => {
  it("add up to its bytes, and what came to them since an earlier cursor is their difference", () => {
    const ledger = new StreamLedger(emptyLedger(100));
    const before = ledger.counts;
    ledger.add({ storedBytes: 50 });
    ledger.add({ filteredBytes: 7, filteredRecords: 2 });
    ledger.add({ gapBytes: 30, lostBytes: 1000 });
    expect(unaccountedBytes(ledger.counts, 187)).toBe(0);
    expect(unaccountedBytes(ledger.counts, 188)).toBe(1);
    expect(difference(ledger.counts, before)).toEqual({
      storedBytes: 50,
      filteredBytes: 7,
      filteredRecords: 2,
      gapBytes: 30,
      lostBytes: 1000,
    });
  });
});
