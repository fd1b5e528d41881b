import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  BatchBuilder,
  CLOSE_CODES,
  compressPayloadSync,
  encodeFrame,
  LIMITS,
  MAX_TIME_US,
  PAYLOAD_CODEC_ZSTD,
} from "@sluice/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { processUsage } from "../src/bench/process-usage.ts";
import { HostilePeer, type PeerTarget } from "../src/hostile/hostile-peer.ts";
import type { ServiceProcess } from "../src/process.ts";
import { Site } from "../src/site.ts";

const MIB = 2 ** 20;

let site: Site;
let collector: ServiceProcess;
let target: PeerTarget;

beforeAll(async () => {
  site = new Site();
  const started = await site.startCollector();
  ({ collector } = started);
  const token = readFileSync(join(site.dataDir, "tokens/ingest.token"), "utf8").trim();
  target = { port: started.port, token };
});
afterAll(() => site[Symbol.asyncDispose]());

// Whatever a test did: the collector goes on, for others.
afterEach(async () => {
  expect(collector.isRunning).toBe(true);
  using peer = await HostilePeer.greet(target);
  await peer.open({});
});

const rssMiB = (): number => processUsage(collector.pid).rssBytes / MIB;

const place = { stream: 0, epoch: 1, ordinal: 0, firstSeq: 0, cursor: Buffer.from("1") };

function batchFrame(rawBytes: number, payload: Buffer): Buffer {
  const batch = { kind: "batch", codec: PAYLOAD_CODEC_ZSTD, minTimeUs: 0, maxTimeUs: 0 } as const;
  return encodeFrame({ ...place, ...batch, count: 1, rawBytes, payload });
}

/** The payload of one record. */
function honestLine(timeUs = 0): { readonly raw: Buffer; readonly packed: Buffer } {
  const builder = new BatchBuilder();
  builder.buffer.write("line\n");
  builder.add(4, timeUs, 0);
  const raw = builder.finish();
  return { raw, packed: compressPayloadSync(raw) };
}

describe("fragments and headers used to exhaust ws (fault 44)", () => {
  test("a message in many tiny fragments is refused, and costs no memory", async () => {
    const before = rssMiB();
    using peer = await HostilePeer.greet(target);
    for (let i = 0; i < 2_000; i++) peer.socket.send("x", { fin: false });
    expect(await peer.closed).toBe(1008); // a policy is violated, as ws puts it
    expect(rssMiB() - before).toBeLessThan(64);
  });

  test("as many fragments as the limit are a message", async () => {
    using peer = await HostilePeer.greet(target);
    await peer.open({});
    const { raw, packed } = honestLine();
    const frame = batchFrame(raw.length, packed);
    for (let i = 0; i < LIMITS.messageFragments; i++) {
      const isLast = i === LIMITS.messageFragments - 1;
      const part = isLast ? frame.subarray(i) : frame.subarray(i, i + 1);
      peer.socket.send(part, { binary: true, fin: isLast });
    }
    expect(await peer.next("ack")).toMatchObject({ streams: [{ ordinal: 1 }] });
  });

  test("a message above its limit closes the connection with 1009", async () => {
    using peer = await HostilePeer.greet(target);
    peer.socket.send(Buffer.alloc(LIMITS.framePayloadBytes + 1));
    expect(await peer.closed).toBe(1009);
  });

  test("a peer that connects and never says hello is closed with 4001", async () => {
    using peer = await HostilePeer.connect(target);
    expect(await peer.closed).toBe(CLOSE_CODES.helloTimeout);
  });
});

describe("what inflates to far more than it is (fault 45)", () => {
  test("a megabyte that inflates to a gigabyte is rejected, and costs no memory", async () => {
    const before = rssMiB();
    using peer = await HostilePeer.greet(target);
    await peer.open({});
    const bomb = compressPayloadSync(Buffer.alloc(1024 * MIB));
    expect(bomb.length).toBeLessThan(MIB);
    peer.socket.send(batchFrame(LIMITS.payloadRawBytes, bomb));
    expect(await peer.next("reject")).toMatchObject({ code: "bad_compression" });
    expect(rssMiB() - before).toBeLessThan(64);
  });

  test("thousands of batches in one message, each within its limit, are refused unread", async () => {
    const before = rssMiB();
    using peer = await HostilePeer.greet(target);
    await peer.open({});
    const zeros = compressPayloadSync(Buffer.alloc(LIMITS.payloadRawBytes));
    const frame = batchFrame(LIMITS.payloadRawBytes, zeros);
    const count = Math.min(
      LIMITS.messageFrames,
      Math.floor(LIMITS.framePayloadBytes / frame.length),
    );
    expect(count * LIMITS.payloadRawBytes).toBeGreaterThan(1e9);
    peer.socket.send(Buffer.concat(Array.from({ length: count }, () => frame)));
    expect(await peer.closed).toBe(CLOSE_CODES.creditExceeded);
    expect(rssMiB() - before).toBeLessThan(64);
  });

  test("a control message of nothing but brackets stops nobody", async () => {
    using peer = await HostilePeer.greet(target);
    peer.socket.send("[".repeat(LIMITS.controlBytes - 1));
    expect(await peer.closed).toBe(CLOSE_CODES.badMessage);
  });
});

describe("a host that does not keep to the rules", () => {
  test("is closed for messages without a byte, as often as it sends them", async () => {
    for (let i = 0; i < 3; i++) {
      using peer = await HostilePeer.greet(target);
      peer.socket.send(Buffer.alloc(0));
      peer.socket.send(Buffer.alloc(0));
      expect(await peer.closed).toBe(CLOSE_CODES.badMessage);
    }
  });

  test("that reads nothing of what it asks for is let go", async () => {
    const before = rssMiB();
    using peer = await HostilePeer.greet(target);
    peer.socket.pause();
    const cursor = Buffer.alloc(LIMITS.cursorBytes);
    for (let from = 0; from < LIMITS.streamsPerAgent; from += LIMITS.controlStreams) {
      const streams = Array.from({ length: LIMITS.controlStreams }, (_, i) => ({
        stream: from + i,
        source: `/unread/${from + i}`,
        generation: 0,
        initialCursor: cursor,
        labels: {},
      }));
      peer.send({ type: "open", streams });
    }
    await collector.logged(({ msg }) => msg.includes("does not read what it is sent"));
    // The streams themselves, of which it has 64 MiB, are the agent's to have.
    expect(rssMiB() - before).toBeLessThan(300);
  });

  test.each([
    ["a generation beyond 2^53", { generation: 2 ** 53 }],
    ["a cursor above its limit", { initialCursor: Buffer.alloc(LIMITS.cursorBytes + 1) }],
    ["a source with a NUL", { source: "/var/log/a\0b" }],
    ["a label that is no word", { labels: { "a\nb": "c" } }],
    ["half a character", { source: "/\ud800" }],
  ])("is closed for %s", async (_name, stream) => {
    using peer = await HostilePeer.greet(target);
    peer.open(stream).catch(() => undefined);
    expect(await peer.closed).toBe(CLOSE_CODES.badMessage);
  });

  test("may claim any time: it is stored, shown, and pruned by when it came", async () => {
    using peer = await HostilePeer.greet(target, { hostname: "clock" });
    await peer.open({});
    const times = [-MAX_TIME_US, MAX_TIME_US];
    let ordinal = 0;
    for (const timeUs of times) {
      const { raw, packed } = honestLine(timeUs);
      const batch = { kind: "batch", codec: PAYLOAD_CODEC_ZSTD, count: 1 } as const;
      const facts = { minTimeUs: timeUs, maxTimeUs: timeUs, rawBytes: raw.length };
      const at = { ...place, ordinal, firstSeq: ordinal };
      peer.socket.send(encodeFrame({ ...at, ...batch, ...facts, payload: packed }));
      ordinal += 1;
      await peer.next("ack");
    }
    const asking = site.asking(target.port);
    const { stdout } = await site.sluice("query", "host:clock", "-o", "jsonl", "--all", ...asking);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { time: string });
    const shown = times.map((us) => new Date(Math.floor(us / 1000)).toISOString().slice(0, -1));
    expect(rows.map(({ time }) => time.slice(0, "2112-09-18T00:00:00.000".length))).toEqual(shown);
    const plan = await site.sluice("retention", "plan", "--json", ...asking);
    expect(JSON.parse(plan.stdout)).toMatchObject({ records: 0 });
  });
});
