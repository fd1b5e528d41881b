import { LIMITS } from "@sluice/protocol";
import { afterEach, describe, expect, it, vi } from "vitest";

import { MemoryReader } from "./memory-reader.ts";
import { type PumpKind, recordsOf, Wire } from "./wire.ts";

const MIB = 1024 * 1024;
/** Credit that is left for live streams. */
const LIVE_BYTES = 1.25 * MIB;
const LINE = "x".repeat(99).concat("\n");

let abort = new AbortController();
let running: Promise<unknown>[] = [];

afterEach(async () => {
  abort.abort(new Error("the test is over"));
  await Promise.allSettled(running);
  abort = new AbortController();
  running = [];
});

/** A wire whose collector acknowledges when it is told to, and a pump on each reader. */
function start(
  readers: readonly MemoryReader[],
  creditBytes?: number,
  kind: PumpKind = "in place",
): Wire {
  const wire = new Wire(readers.length, creditBytes);
  wire.acksAtOnce = false;
  readers.forEach((reader, key) => running.push(wire.pump(reader, key, kind).run(abort.signal)));
  return wire;
}

function backlog(bytes: number): MemoryReader {
  return new MemoryReader(LINE.repeat(bytes / LINE.length));
}

async function append(reader: MemoryReader, text: string): Promise<void> {
  reader.append(text);
  await reader.caughtUp();
}

function bodiesOf(wire: Wire, stream: number): string[] {
  return wire.frames
    .filter((frame) => frame.stream === stream)
    .flatMap(recordsOf)
    .map(({ body }) => body);
}

function onTheWay(wire: Wire): number {
  return wire.frames.reduce((sum, frame) => sum + (frame.kind === "batch" ? frame.rawBytes : 0), 0);
}

/** Resolves when a stream that catches up has taken all the credit that it may: it takes no more until an ack. */
function untilFull(wire: Wire): Promise<void> {
  return wire.until(() => {
    const largest = Math.max(
      ...wire.frames.map((frame) => (frame.kind === "batch" ? frame.rawBytes : 0)),
    );
    return wire.session.window < LIVE_BYTES + largest;
  });
}

describe.each<PumpKind>(["in place", "record by record"])("live lines, %s", (kind) => {
  it("leave at once though a backlog has taken its credit", async () => {
    const [old, live] = [backlog(20 * MIB), new MemoryReader()];
    const wire = start([old, live], undefined, kind);
    await untilFull(wire);
    expect(onTheWay(wire)).toBeLessThanOrEqual(LIMITS.creditPerAgentBytes - MIB);
    expect(onTheWay(wire)).toBeGreaterThan(LIMITS.creditPerAgentBytes / 2);
    await append(live, "now\n");
    expect(bodiesOf(wire, 1)).toEqual(["now"]);
  });

  it("go before what a backlog has ready, whenever there is credit again", async () => {
    const [old, live] = [backlog(30 * MIB), new MemoryReader()];
    const wire = start([old, live], undefined, kind);
    await untilFull(wire);
    await append(live, "first\n");
    for (const line of ["second", "third", "fourth"]) {
      await append(live, `${line}\n`);
      const sent = wire.messages.length;
      wire.ack();
      const next = wire.messages[sent]?.flatMap(recordsOf).map(({ body }) => body);
      expect(next).toEqual([line]);
      await untilFull(wire);
    }
  });
});

describe("a collector that grants little", () => {
  it.each([200_000, MIB, 2 * MIB])(
    "lets a backlog go on, and live lines between, with %i bytes",
    async (creditBytes) => {
      const [old, live] = [backlog(6 * MIB), new MemoryReader()];
      const wire = start([old, live], creditBytes);
      await wire.until(() => wire.frames.length > 0);
      live.append("now\n");
      while (old.behindBytes > 0 || bodiesOf(wire, 1).length === 0) {
        const sent = wire.frames.length;
        wire.ack();
        await wire.until(() => wire.frames.length > sent);
      }
      expect(bodiesOf(wire, 1)).toEqual(["now"]);
    },
  );
});

describe("streams that catch up", () => {
  it("take turns, a batch each", async () => {
    const readers = [backlog(16 * MIB), backlog(16 * MIB), backlog(16 * MIB)];
    const wire = start(readers);
    await wire.until(() => wire.frames.length >= 5);
    for (let sent = wire.frames.length; sent < 15; sent = wire.frames.length) {
      wire.ack();
      await wire.until(() => wire.frames.length > sent);
    }
    // The first few leave as each gets ready; from then on all of them wait.
    const turns = wire.frames.slice(3, 12).map(({ stream }) => stream);
    for (let i = 0; i < turns.length; i += 3) {
      expect(new Set(turns.slice(i, i + 3))).toEqual(new Set([0, 1, 2]));
    }
  });
});

describe("a noisy source", () => {
  it("does not keep the lines of a quiet one back, though it always has something on its way", async () => {
    const [noisy, quiet] = [new MemoryReader(), new MemoryReader()];
    const wire = start([noisy, quiet]);
    await append(noisy, LINE.repeat(10));
    // Whole batches of a stream that keeps up: they leave as they are full.
    noisy.append(LINE.repeat((1.2 * MIB) / LINE.length));
    await wire.until(() => wire.frames.length >= 2);
    await append(quiet, "quiet\n");
    wire.receive({ type: "ack", streams: [{ stream: 0, epoch: 1, ordinal: 1, nextSeq: 10 }] });
    await expect.poll(() => bodiesOf(wire, 1), { interval: 5 }).toEqual(["quiet"]);
    expect(wire.session.isQuiet).toBe(false);
  });

  it("gets one batch in a round, like everyone", async () => {
    const readers = Array.from({ length: 10 }, () => new MemoryReader());
    const [noisy] = readers as [MemoryReader];
    const wire = start(readers);
    await append(noisy, "first\n");
    await Promise.all(readers.map((reader, key) => append(reader, `line of ${key}\n`)));
    await append(noisy, LINE.repeat(500));
    wire.ack();
    await wire.until(() => wire.frames.length >= 11);
    const round = wire.frames.slice(1).map(({ stream }) => stream);
    expect(round.toSorted((a, b) => a - b)).toEqual(readers.map((_, key) => key));
  });
});

describe("lines that tell of errors", () => {
  it("leave though lines of other streams are on their way, and wait", async () => {
    const readers = [new MemoryReader(), new MemoryReader(), new MemoryReader()];
    const [first, second, failing] = readers as [MemoryReader, MemoryReader, MemoryReader];
    const wire = start(readers);
    await append(first, "first\n");
    await append(second, "waits\n");
    await append(failing, "ERROR: the disk is gone\n");
    expect(bodiesOf(wire, 1)).toEqual([]);
    expect(bodiesOf(wire, 2)).toEqual(["ERROR: the disk is gone"]);
  });

  it("overtake nothing of their own stream", async () => {
    const readers = [new MemoryReader(), new MemoryReader()];
    const [first, failing] = readers as [MemoryReader, MemoryReader];
    const wire = start(readers);
    await append(first, "first\n");
    await append(failing, "one\n");
    await append(failing, "two\n");
    await append(failing, "ERROR: three\n");
    await append(failing, "four\n");
    wire.ack();
    expect(bodiesOf(wire, 1)).toEqual(["one", "two", "ERROR: three", "four"]);
  });

  it("of a backlog take no express lane", async () => {
    const failures = new MemoryReader("ERROR: again\n".repeat((20 * MIB) / 13));
    const live = new MemoryReader();
    const wire = start([failures, live]);
    await untilFull(wire);
    await append(live, "first\n");
    await append(live, "second\n");
    const sent = wire.frames.length;
    wire.ack();
    expect(wire.frames[sent]?.stream).toBe(1);
  });
});

describe.each<PumpKind>(["in place", "record by record"])("a quiet stream, %s", (kind) => {
  it("holds no buffer, neither before its first line nor when its lines have left", async () => {
    const readers = Array.from({ length: 20 }, () => new MemoryReader());
    const wire = start(readers, undefined, kind);
    const lent = vi.spyOn(wire.pool, "acquire");
    const returned = vi.spyOn(wire.pool, "release");
    await Promise.all(readers.map((reader) => reader.caughtUp()));
    for (const line of ["one", "two"]) {
      await Promise.all(readers.map((reader) => append(reader, `${line}\n`)));
      wire.ack();
      wire.ack();
      // Each pump had one when it began, which was before they were counted.
      expect(returned.mock.calls.length - lent.mock.calls.length).toBe(readers.length);
    }
    expect(bodiesOf(wire, 19)).toEqual(["one", "two"]);
  });
});

describe("what rules dropped", () => {
  it("is told in the message of the batch that it travels with", async () => {
    // Stored apart, the collector's sums and the accounts in the cursor could come to differ.
    const wire = start([new MemoryReader()]);
    const lease = wire.pool.acquire(0);
    lease.builder.buffer.write("one\n");
    lease.builder.add(3, 1, 0);
    const epoch = wire.rewinds.get(0)?.epoch ?? 0;
    const batch = {
      key: 0,
      epoch,
      lease,
      payload: lease.builder.finish(),
      count: 1,
      minTimeUs: 1,
      maxTimeUs: 1,
      bodyBytes: 4,
      cursor: new Uint8Array([1]),
      filtered: { records: 2, bytes: 30 },
    };
    const pump = {
      canSeal: true,
      bufferedBytes: 4,
      behindBytes: 0,
      payloadBytes: batch.payload.length,
      maxSeverity: 0,
      seal: () => batch,
      run: () => Promise.resolve(),
    };
    wire.batcher.ready(pump);
    expect(wire.messages).toHaveLength(1);
    expect(wire.messages[0]).toMatchObject([
      { kind: "batch", ordinal: 0, count: 1 },
      { kind: "advance", ordinal: 1, filteredRecords: 2, filteredBytes: 30, final: false },
    ]);
  });
});
