import { describe, expect, test } from "vitest";
import { AgentSession } from "../src/agent-session.ts";
import type { CollectorMessage } from "../src/control.ts";
import { LIMITS } from "../src/limits.ts";
import {
  ack,
  cursor,
  draft,
  IDENTITY,
  offer,
  opened,
  openings,
  openSession,
  reconnect,
  reject,
  reset,
  sent,
  STORE_ID,
  welcome,
} from "./agent-parts.ts";

describe("the agent's connection", () => {
  test("says hello as soon as it is there, and nothing else before the welcome", () => {
    const session = new AgentSession(IDENTITY);
    expect(session.offer(offer(7))).toEqual([]);
    expect(session.phase).toBe("down");
    expect(session.connected(5)).toEqual([
      { kind: "send", message: { type: "hello", protocol: 1, ...IDENTITY, clockUs: 5 } },
    ]);
    expect(session.phase).toBe("greeting");
    expect(session.offer(offer(8))).toEqual([]);
    expect(session.report([{ key: 7, behindBytes: 5 }], 0)).toEqual([]);
    expect(session.window).toBe(0);
  });

  test("opens what was offered once it is welcome, in the order of the offers", () => {
    const session = new AgentSession(IDENTITY);
    session.offer(offer(7));
    session.offer(offer(3));
    session.connected(0);
    const effects = session.receive(welcome());
    expect(effects[0]).toEqual({ kind: "unfinished", storeId: STORE_ID, streams: [] });
    expect(openings(effects)).toEqual([
      {
        stream: 0,
        source: "/var/log/7",
        generation: 1,
        initialCursor: cursor(0),
        labels: {},
      },
      {
        stream: 1,
        source: "/var/log/3",
        generation: 1,
        initialCursor: cursor(0),
        labels: {},
      },
    ]);
    expect(session.phase).toBe("live");
    expect(session.storeId).toBe(STORE_ID);
  });

  test("asks for the initial cursor by the store that welcomed it", () => {
    const session = new AgentSession(IDENTITY);
    const asked: string[] = [];
    const initialCursor = (storeId: string): Uint8Array => {
      asked.push(storeId);
      return cursor(4);
    };
    session.offer({ ...offer(7), initialCursor });
    session.connected(0);
    expect(openings(session.receive(welcome()))[0]?.initialCursor).toEqual(cursor(4));
    expect(asked).toEqual([STORE_ID]);
  });

  test("opens a stream that is offered while it is live under the next number", () => {
    const session = openSession([7]);
    expect(openings(session.offer(offer(8))).map(({ stream }) => stream)).toEqual([1]);
  });

  test("waits for the whole list of unfinished streams before it opens any", () => {
    const session = new AgentSession(IDENTITY);
    session.offer(offer(7));
    session.connected(0);
    const listed = { source: "/a", generation: 0, cursor: cursor(1), nextSeq: 3 };
    expect(session.receive(welcome({ streams: [listed], more: true }))).toEqual([
      { kind: "unfinished", storeId: STORE_ID, streams: [listed] },
    ]);
    expect(session.phase).toBe("greeting");
    expect(session.receive({ type: "unfinished", streams: [listed], more: true })).toEqual([
      { kind: "unfinished", storeId: STORE_ID, streams: [listed] },
    ]);
    const last = session.receive({ type: "unfinished", streams: [], more: false });
    expect(last[0]).toEqual({ kind: "unfinished", storeId: STORE_ID, streams: [] });
    expect(openings(last)).toHaveLength(1);
    expect(session.phase).toBe("live");
  });

  test.each([
    [1, [1]],
    [LIMITS.controlStreams, [LIMITS.controlStreams]],
    [LIMITS.controlStreams + 1, [LIMITS.controlStreams, 1]],
    [2 * LIMITS.controlStreams, [LIMITS.controlStreams, LIMITS.controlStreams]],
  ])("opens %i streams, and reports them, in messages of %j", (count, lengths) => {
    const keys = Array.from({ length: count }, (_, key) => key);
    const session = new AgentSession(IDENTITY);
    for (const key of keys) {
      session.offer(offer(key));
    }
    session.connected(0);
    const messages = sent(session.receive(welcome()));
    expect(messages.map((message) => ("streams" in message ? message.streams.length : 0))).toEqual(
      lengths,
    );
    session.receive(opened(keys));
    const reports = sent(
      session.report(
        keys.map((key) => ({ key, behindBytes: 1 })),
        0,
      ),
    );
    expect(reports.map((message) => ("streams" in message ? message.streams.length : 0))).toEqual(
      lengths,
    );
  });

  test("opens all streams anew, from number 0, after a reconnect", () => {
    const session = openSession([7, 8]);
    session.forget(7);
    expect(openings(reconnect(session)).map(({ stream, source }) => [stream, source])).toEqual([
      [0, "/var/log/8"],
    ]);
  });

  test("passes a goaway and a failure on, and stays as it is", () => {
    const session = openSession([7]);
    expect(session.receive({ type: "goaway", reason: "shutdown", retryAfterMs: 20 })).toEqual([
      { kind: "goaway", retryAfterMs: 20 },
    ]);
    expect(session.receive({ type: "goaway", reason: "overloaded" })).toEqual([
      { kind: "goaway", retryAfterMs: 0 },
    ]);
    const failed = { type: "failed", code: "unavailable", message: "full" } as const;
    const told = { kind: "failed", code: "unavailable", detail: "full" };
    expect(session.receive({ ...failed, stream: 0 })).toEqual([{ ...told, key: 7 }]);
    expect(session.receive(failed)).toEqual([{ ...told, key: undefined }]);
    expect(session.phase).toBe("live");
  });

  test.each<[string, CollectorMessage]>([
    ["opened", opened([1])],
    ["ack", ack(1, { stream: 1 })],
    ["reset", { type: "reset", streams: [] }],
    ["reject", { ...reject(2, 0, 0), stream: 1 } as CollectorMessage],
  ])("takes no %s of a number that it did not open", (_, message) => {
    expect(openSession([7]).receive(message)).toEqual([]);
  });

  test("takes nothing more of a stream that it has forgotten, and gets its credit back", () => {
    const session = openSession([7, 8]);
    session.place(7, 1, draft(), 0);
    session.forget(7);
    expect(session.isQuiet).toBe(true);
    expect(session.receive(ack(1))).toEqual([]);
    expect(session.receive(reset(2, 0, 0))).toEqual([]);
    expect(session.place(7, 1, draft(), 0)).toBeUndefined();
  });
});

describe("an agent whose configuration has changed", () => {
  test("is another, and labels its streams anew, from the next connection on", () => {
    const session = openSession([7]);
    session.introduce({ ...IDENTITY, hostname: "other" });
    session.relabel(7, { env: "prod" });
    session.relabel(8, { nobody: "has it" });
    session.disconnected();
    const [hello] = session.connected(5);
    expect(hello).toMatchObject({ message: { type: "hello", hostname: "other" } });
    expect(openings(session.receive(welcome()))).toMatchObject([{ labels: { env: "prod" } }]);
  });

  test("knows what is on its way, in all and of each stream, until it reads on elsewhere", () => {
    const session = openSession([7]);
    expect(session.creditBytes).toBeGreaterThan(0);
    const rewind = 1;
    session.place(7, rewind, draft({ creditBytes: 100 }), 0);
    expect([session.unackedBytes, session.unackedBytesOf(7), session.unackedBytesOf(8)]).toEqual([
      100, 100, 0,
    ]);
    session.disconnected();
    expect([session.unackedBytes, session.unackedBytesOf(7)]).toEqual([0, 0]);
  });
});

describe("the agent's report", () => {
  test("counts what is on its way and how old it is, and is silent while nothing changes", () => {
    const session = openSession([7, 8]);
    session.place(7, 1, draft({ bodyBytes: 40 }), 1000);
    const backlogs = [
      { key: 7, behindBytes: 2 },
      { key: 8, behindBytes: 0 },
      { key: 9, behindBytes: 5 },
    ];
    expect(sent(session.report(backlogs, 1300.4))).toEqual([
      {
        type: "report",
        streams: [
          { stream: 0, behindBytes: 42, oldestUnackedMs: 300 },
          { stream: 1, behindBytes: 0, oldestUnackedMs: 0 },
        ],
      },
    ]);
    expect(session.report(backlogs, 1300.4)).toEqual([]);
    session.receive(ack(1));
    expect(sent(session.report(backlogs, 1400))).toEqual([
      { type: "report", streams: [{ stream: 0, behindBytes: 2, oldestUnackedMs: 0 }] },
    ]);
  });

  test("tells a new connection all of it again", () => {
    const session = openSession([7]);
    session.report([{ key: 7, behindBytes: 2 }], 0);
    reconnect(session);
    session.receive(opened([0], { epoch: 2 }));
    expect(session.report([{ key: 7, behindBytes: 2 }], 0)).toHaveLength(1);
  });

  test("knows the age of the oldest frame over all streams", () => {
    const session = openSession([7, 8]);
    expect(session.oldestUnackedMs(50)).toBeUndefined();
    session.place(8, 1, draft(), 10);
    session.place(7, 1, draft(), 20);
    expect(session.oldestUnackedMs(50)).toBe(40);
    session.receive(ack(1, { stream: 1 }));
    expect(session.oldestUnackedMs(50)).toBe(30);
  });
});
