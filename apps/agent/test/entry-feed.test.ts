import { once } from "node:events";
import { ok } from "@sluice/quantity";
import type { EntryOutcome, EntryReader, LogEntry } from "@sluice/tail";
import { describe, expect, it } from "vitest";

import { EntryFeed } from "../src/entry-feed.ts";
import { laneOf } from "../src/lane.ts";
import { Processor } from "../src/processing/processor.ts";
import type { Pump } from "../src/pump.ts";
import { RecordPump } from "../src/record-pump.ts";
import { Stamper } from "../src/stamp/stamper.ts";
import { decodeStreamCursor, emptyLedger, StreamLedger } from "../src/stream-ledger.ts";
import { CLOCK_US, recordsOf, Wire } from "./wire.ts";

const cursorOf = (text: string): Uint8Array => Buffer.from(text);

function entry(number: number, fields: Partial<LogEntry> = {}): LogEntry {
  return {
    body: Buffer.from(`entry ${number}`),
    timeUs: 1_000_000 + number,
    priority: 6,
    attributes: { _PID: "1" },
    cursor: cursorOf(`after ${number}`),
    ...fields,
  };
}

/** Says what it is told to, and waits for more then. */
function readerOf(outcomes: readonly EntryOutcome[], hasBacklog = false): EntryReader {
  const rest = [...outcomes];
  return {
    kind: "entries",
    stream: { source: "journald", generation: 1 },
    behindBytes: 300_000,
    hasBacklog,
    seek: () => Promise.resolve(ok(undefined)),
    read: () => Promise.resolve(rest.shift() ?? { kind: "idle" }),
    changed: async (signal) => {
      if (!signal.aborted) await once(signal, "abort");
      throw signal.reason;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function ship(outcomes: readonly EntryOutcome[], frames: number): Promise<Wire> {
  const wire = new Wire(1);
  const pump = new RecordPump({
    key: 0,
    epoch: wire.rewinds.get(0)?.epoch ?? 0,
    feed: new EntryFeed(readerOf(outcomes), cursorOf("start")),
    processor: new Processor(new Stamper({ zone: 0 })),
    pool: wire.pool,
    batcher: wire.batcher,
    ledger: new StreamLedger(emptyLedger(0)),
    clockUs: () => CLOCK_US,
  });
  const abort = new AbortController();
  const running = Promise.allSettled([pump.run(abort.signal)]);
  await wire.until(() => wire.frames.length >= frames);
  abort.abort(new Error("the test is over"));
  expect(await running).toMatchObject([{ reason: { message: "the test is over" } }]);
  expect(wire.errors).toEqual([]);
  return wire;
}

describe("a journal's entries", () => {
  it.each([
    [false, "live"],
    [true, "backlog"],
  ])(
    "leave behind what is written at the moment, while they have a backlog: %s, %s",
    (has, lane) => {
      const { behindBytes } = new EntryFeed(readerOf([], has), cursorOf("start"));
      expect(laneOf({ behindBytes, maxSeverity: 9 } as Pump)).toBe(lane);
    },
  );

  it("become records with their times and their messages' bytes in the accounts", async () => {
    const entries = [
      entry(1),
      entry(2, { body: Buffer.from("two\nlines") }),
      entry(3, { body: Buffer.from("cut"), originalBytes: 300_000 }),
    ];
    const { frames } = await ship([{ kind: "entries", entries }], 1);
    expect(frames).toMatchObject([
      { kind: "batch", count: 3, minTimeUs: 1_000_001, maxTimeUs: 1_000_003 },
    ]);
    expect(frames.flatMap(recordsOf)).toEqual([
      { body: "entry 1", originalBytes: undefined },
      { body: "two\nlines", originalBytes: undefined },
      { body: "cut", originalBytes: "300000" },
    ]);
    const { counts, source } = decodeStreamCursor(frames[0]?.cursor ?? new Uint8Array());
    expect(counts.storedBytes).toBe("entry 1".length + "two\nlines".length + 300_000);
    expect(Buffer.from(source).toString()).toBe("after 3");
  });

  it("that are missing become a gap behind those in front of it, and the stream goes on", async () => {
    const gap = { kind: "gap", cause: "vacuumed", detail: "d", cursor: cursorOf("at 9") } as const;
    const { frames } = await ship(
      [{ kind: "entries", entries: [entry(1)] }, gap, { kind: "entries", entries: [entry(9)] }],
      3,
    );
    expect(frames).toMatchObject([
      { kind: "batch", count: 1 },
      { kind: "gap", cause: "vacuumed", range: "unknown", detail: "d", count: 0 },
      { kind: "batch", count: 1, firstSeq: 1 },
    ]);
    const { source } = decodeStreamCursor(frames[1]?.cursor ?? new Uint8Array());
    expect(Buffer.from(source).toString()).toBe("at 9");
  });

  it("that were not asked for move the cursor, behind those that were", async () => {
    const { frames } = await ship(
      [
        { kind: "entries", entries: [entry(1)] },
        { kind: "passed", cursor: cursorOf("after 7") },
      ],
      2,
    );
    expect(frames).toMatchObject([
      { kind: "batch", count: 1 },
      { kind: "advance", final: false, filteredRecords: 0, filteredBytes: 0 },
    ]);
    const { counts, source } = decodeStreamCursor(frames[1]?.cursor ?? new Uint8Array());
    expect(counts.storedBytes).toBe("entry 1".length);
    expect(Buffer.from(source).toString()).toBe("after 7");
  });
});
