import { randomBytes } from "node:crypto";
import { type BatchFrame, type Frame, LIMITS } from "@sluice/protocol";
import { afterEach, describe, expect, it } from "vitest";

import { cursorOf, MemoryReader } from "./memory-reader.ts";
import { recordsOf, Wire } from "./wire.ts";

const MIB = 1024 * 1024;

let abort = new AbortController();
let running: Promise<unknown>[] = [];

afterEach(async () => {
  abort.abort(new Error("the test is over"));
  await Promise.allSettled(running);
  abort = new AbortController();
  running = [];
});

function start(wire: Wire, key: number, reader: MemoryReader): void {
  running.push(wire.pump(reader, key).run(abort.signal));
}

async function append(reader: MemoryReader, text: string): Promise<void> {
  reader.append(text);
  await reader.caughtUp();
}

function bodiesOf(frames: readonly Frame[]): string[] {
  return frames.flatMap(recordsOf).map(({ body }) => body);
}

function batchesOf(wire: Wire): BatchFrame[] {
  return wire.frames.filter((frame): frame is BatchFrame => frame.kind === "batch");
}

/** A wire whose collector acknowledges nothing by itself, with a first line on its way. */
async function busyWire(streams: number, creditBytes?: number) {
  const wire = new Wire(streams, creditBytes);
  wire.acksAtOnce = false;
  const readers = Array.from({ length: streams }, () => new MemoryReader());
  readers.forEach((reader, key) => start(wire, key, reader));
  const [first] = readers;
  if (first === undefined) {
    throw new Error("a wire without streams");
  }
  await append(first, "first\n");
  expect(wire.messages).toHaveLength(1);
  return { wire, readers, first };
}

describe("the batcher's clock", () => {
  it("lets a lone line leave at once", async () => {
    const wire = new Wire(1);
    const reader = new MemoryReader();
    start(wire, 0, reader);
    for (const line of ["one", "two", "three"]) {
      await append(reader, `${line}\n`);
      expect(bodiesOf(wire.frames).at(-1)).toBe(line);
    }
    expect(wire.messages).toHaveLength(3);
  });

  it("lets nothing leave while a message is on its way, and then all of it at once", async () => {
    const { wire, first } = await busyWire(1);
    await append(first, "two\n");
    await append(first, "three\n");
    expect(wire.messages).toHaveLength(1);
    wire.ack();
    expect(wire.messages).toHaveLength(2);
    expect(bodiesOf(wire.messages[1] ?? [])).toEqual(["two", "three"]);
    expect(wire.messages[1]).toHaveLength(1);
  });

  it("sends what has gathered over all streams as one message", async () => {
    const { wire, readers } = await busyWire(40);
    await Promise.all(readers.map((reader, key) => append(reader, `line of ${key}\n`)));
    expect(wire.messages).toHaveLength(1);
    wire.ack();
    expect(wire.messages).toHaveLength(2);
    expect(bodiesOf(wire.messages[1] ?? []).toSorted()).toEqual(
      readers.map((_, key) => `line of ${key}`).toSorted(),
    );
  });

  it("lets a whole batch leave though a message is on its way", async () => {
    const { wire, first } = await busyWire(1);
    first.append("x".repeat(99).concat("\n").repeat(30_000));
    await wire.until(() => wire.frames.length >= 3);
    const whole = batchesOf(wire).slice(1);
    expect(Math.min(...whole.map(({ rawBytes }) => rawBytes))).toBeGreaterThan(MIB * 0.9);
  });
});

describe("credit", () => {
  it("is never exceeded by what is on its way", async () => {
    const creditBytes = 3 * MIB;
    const wire = new Wire(1, creditBytes);
    wire.acksAtOnce = false;
    const line = randomBytes(60_000).toString("latin1").replaceAll("\n", " ");
    const lines = 150;
    const reader = new MemoryReader(Buffer.from(`${line}\n`.repeat(lines), "latin1"));
    reader.end({ kind: "ended", reason: "rotated" });
    start(wire, 0, reader);
    let acked = 0;
    while (wire.frames.at(-1)?.kind !== "advance") {
      await wire.until(() => wire.frames.length > acked);
      const onTheWay = batchesOf(wire).slice(acked);
      const bytes = onTheWay.reduce((sum, { rawBytes }) => sum + rawBytes, 0);
      expect(bytes).toBeLessThanOrEqual(creditBytes);
      acked = wire.frames.length;
      wire.ack();
    }
    expect(wire.frames.reduce((sum, { count }) => sum + count, 0)).toBe(lines);
    for (const message of wire.messages) {
      const bytes = message.reduce(
        (sum, f) => sum + (f.kind === "batch" ? f.payload.length : 0),
        0,
      );
      expect(bytes).toBeLessThan(LIMITS.framePayloadBytes);
    }
  });

  it("of zero holds everything back until there is some", async () => {
    const wire = new Wire(2, 0);
    const [small, large] = [new MemoryReader(), new MemoryReader()];
    start(wire, 0, small);
    start(wire, 1, large);
    await append(small, "a line\n");
    large.append("\n".repeat(LIMITS.batchRecords + 1));
    await expect.poll(() => large.behindBytes).toBe(0);
    expect(wire.messages).toEqual([]);
    wire.receive({ type: "credit", bytes: 8 * MIB });
    await wire.until(() => wire.frames.length === 3);
    expect(wire.frames.reduce((sum, { count }) => sum + count, 0)).toBe(LIMITS.batchRecords + 2);
  });

  it("smaller than a batch lets one at a time through", async () => {
    const wire = new Wire(1, 1000);
    const reader = new MemoryReader("y".repeat(99).concat("\n").repeat(40_000));
    reader.end({ kind: "ended", reason: "rotated" });
    start(wire, 0, reader);
    await wire.until(() => wire.frames.at(-1)?.kind === "advance");
    expect(bodiesOf(wire.frames)).toHaveLength(40_000);
    const batches = wire.messages.map((message) => message.filter(({ kind }) => kind === "batch"));
    expect(Math.max(...batches.map(({ length }) => length))).toBe(1);
  });
});

describe("the order of a stream", () => {
  it("is that of its records, though small batches are compressed before large ones", async () => {
    const { wire, readers } = await busyWire(2);
    const [first, second] = readers;
    // A large batch is compressed elsewhere; what comes behind it is small, and ready at once.
    first?.append("x".repeat(99).concat("\n").repeat(9_000));
    await append(first as MemoryReader, "small\n");
    await append(second as MemoryReader, "other\n");
    wire.ack();
    wire.batcher.note(0, wire.rewinds.get(0)?.epoch ?? 0, {
      kind: "gap",
      cursor: cursorOf(1),
      cause: "deleted",
      range: "unknown",
      count: 3,
      detail: "",
    });
    wire.acksAtOnce = true;
    await wire.until(() => wire.frames.some(({ kind }) => kind === "gap"));
    const frames = wire.frames.filter(({ stream }) => stream === 0);
    let seq = 0;
    for (const [ordinal, frame] of frames.entries()) {
      expect(frame).toMatchObject({ ordinal, firstSeq: seq });
      seq += frame.count;
    }
    expect(frames.at(-1)?.kind).toBe("gap");
  });
});

describe("a rewind", () => {
  it("makes what was sealed before void, and takes none of the credit", async () => {
    // Credit for one batch at a time: anything that stayed reserved would block the next for good.
    const wire = new Wire(1, MIB);
    const reader = new MemoryReader("x".repeat(99).concat("\n").repeat(40_000));
    start(wire, 0, reader);
    // The first batch is being compressed, off this thread, when the reset arrives.
    await expect.poll(() => reader.offset, { interval: 1 }).toBeGreaterThan(MIB / 2);
    expect(wire.frames).toEqual([]);
    abort.abort(new Error("rewound"));
    await Promise.allSettled(running);
    const cursor = cursorOf(0);
    const place = { stream: 0, epoch: 2, ordinal: 5, nextSeq: 70, cursor };
    wire.receive({ type: "reset", streams: [{ ...place, reason: "out_of_sequence" }] });
    abort = new AbortController();
    await reader.seek(cursor);
    reader.end({ kind: "ended", reason: "rotated" });
    start(wire, 0, reader);
    await wire.until(() => wire.frames.at(-1)?.kind === "advance");
    expect(new Set(wire.frames.map(({ epoch }) => epoch))).toEqual(new Set([2]));
    expect(wire.frames[0]).toMatchObject({ ordinal: 5, firstSeq: 70 });
    expect(wire.frames.reduce((sum, { count }) => sum + count, 0)).toBe(40_000);
  });

  it("drops a note of before as well", () => {
    const wire = new Wire(1);
    const before = wire.rewinds.get(0)?.epoch ?? 0;
    const place = { stream: 0, epoch: 2, ordinal: 0, nextSeq: 0, cursor: cursorOf(0) };
    wire.receive({ type: "reset", streams: [{ ...place, reason: "corrupt" }] });
    wire.batcher.note(0, before, { kind: "final", cursor: cursorOf(9) });
    expect(wire.messages).toEqual([]);
    wire.batcher.note(0, wire.rewinds.get(0)?.epoch ?? 0, { kind: "final", cursor: cursorOf(9) });
    expect(wire.frames).toMatchObject([{ kind: "advance", epoch: 2, ordinal: 0 }]);
  });

  it("leaves nothing of a lost connection to the next one", async () => {
    const { wire, first } = await busyWire(1);
    await append(first, "second\n");
    abort.abort(new Error("the connection is gone"));
    await Promise.allSettled(running);
    wire.session.disconnected();
    wire.connect(1, 8 * MIB);
    wire.batcher.flush();
    expect(wire.messages).toHaveLength(1);
  });
});
