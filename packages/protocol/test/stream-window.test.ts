import { describe, expect, test } from "vitest";
import { LIMITS } from "../src/limits.ts";
import {
  ack,
  cursor,
  draft,
  opened,
  openings,
  openSession,
  reconnect,
  reject,
  reset,
  rewindOf,
} from "./agent-parts.ts";

describe("a stream of the agent", () => {
  test("gives each frame the place behind the one before", () => {
    const session = openSession();
    const at = { stream: 0, epoch: 1, cursor: cursor(1) };
    expect(session.place(7, 1, draft({ count: 10 }), 0)).toEqual({
      ...at,
      ordinal: 0,
      firstSeq: 0,
      count: 10,
    });
    session.place(7, 1, draft({ count: 0 }), 0);
    expect(session.place(7, 1, draft({ count: 5 }), 0)).toEqual({
      ...at,
      ordinal: 2,
      firstSeq: 10,
      count: 5,
    });
  });

  test("begins where the collector says it stands", () => {
    const session = openSession();
    reconnect(session);
    const at = { epoch: 5, ordinal: 12, nextSeq: 400, cursor: cursor(3), created: false };
    expect(session.receive(opened([0], at))).toEqual([
      {
        kind: "rewind",
        key: 7,
        epoch: 2,
        nextSeq: 400,
        cursor: cursor(3),
        created: false,
        rejected: undefined,
      },
    ]);
    expect(session.place(7, 2, draft(), 0)).toMatchObject({ epoch: 5, ordinal: 12, firstSeq: 400 });
  });

  test.each([
    { event: "nothing yet", messages: [], isOut: true },
    { event: "an ack of the frame before", messages: [ack(1)], isOut: true },
    { event: "its own ack", messages: [ack(2)], isOut: false },
    { event: "a reset", messages: [reset(2, 0, 0)], isOut: false },
    { event: "a reject", messages: [reject(2, 0, 0)], isOut: false },
  ])("has its second frame on its way after $event: $isOut", ({ messages, isOut }) => {
    const session = openSession();
    session.place(7, 1, draft(), 0);
    session.place(7, 1, draft(), 0);
    for (const message of messages) {
      session.receive(message);
    }
    expect(session.isOnItsWay(7, 1, 1)).toBe(isOut);
    // A frame of another epoch that has the same place is another one.
    session.place(7, 2, draft(), 0);
    session.place(7, 2, draft(), 0);
    expect(session.isOnItsWay(7, 1, 1)).toBe(isOut);
    session.disconnected();
    expect(session.isOnItsWay(7, 1, 1)).toBe(false);
    expect(session.isOnItsWay(8, 1, 1)).toBe(false);
  });

  test("has no place for a frame before it is open, and none while it is down", () => {
    const session = openSession();
    session.disconnected();
    expect(session.place(7, 1, draft(), 0)).toBeUndefined();
    session.connected(0);
    expect(session.place(7, 1, draft(), 0)).toBeUndefined();
  });

  test("has no place for what was read before it was rewound", () => {
    const session = openSession();
    session.place(7, 1, draft(), 0);
    const rewind = rewindOf(session.receive(reset(2, 0, 0)));
    expect(session.place(7, 1, draft(), 0)).toBeUndefined();
    expect(session.place(7, rewind.epoch, draft(), 0)).toMatchObject({ epoch: 2, ordinal: 0 });
  });

  test("has no place for what was read before a restored store came to the same epoch again", () => {
    const session = openSession();
    reconnect(session);
    const before = rewindOf(session.receive(opened([0], { epoch: 6, ordinal: 3 })));
    reconnect(session);
    const after = rewindOf(session.receive(opened([0], { epoch: 6, ordinal: 1 })));
    expect(session.place(7, before.epoch, draft(), 0)).toBeUndefined();
    expect(session.place(7, after.epoch, draft(), 0)).toMatchObject({ epoch: 6, ordinal: 1 });
  });

  test("is opened once: a second answer does not move it back", () => {
    const session = openSession();
    session.place(7, 1, draft(), 0);
    expect(session.receive(opened([0]))).toEqual([]);
    expect(session.place(7, 1, draft(), 0)).toMatchObject({ ordinal: 1, firstSeq: 10 });
  });
});

describe("an ack", () => {
  const acked = { kind: "acked", key: 7, finished: false };

  test.each([
    { ordinal: 0, effects: [], left: 3 },
    { ordinal: 1, effects: [{ ...acked, nextSeq: 10, cursor: cursor(1) }], left: 2 },
    { ordinal: 2, effects: [{ ...acked, nextSeq: 20, cursor: cursor(2) }], left: 1 },
    { ordinal: 3, effects: [{ ...acked, nextSeq: 30, cursor: cursor(3) }], left: 0 },
    { ordinal: 9, effects: [{ ...acked, nextSeq: 30, cursor: cursor(3) }], left: 0 },
  ])("of ordinal $ordinal covers every frame below it and leaves $left of 3", (row) => {
    const session = openSession();
    const before = session.window;
    for (const end of [1, 2, 3]) {
      session.place(7, 1, draft({ cursor: cursor(end), creditBytes: 100 }), 0);
    }
    expect(session.receive(ack(row.ordinal))).toEqual(row.effects);
    expect(before - session.window).toBe(row.left * 100);
  });

  test("that comes twice has no effect the second time", () => {
    const session = openSession();
    session.place(7, 1, draft(), 0);
    expect(session.receive(ack(1))).toHaveLength(1);
    expect(session.receive(ack(1))).toEqual([]);
  });

  test.each([0, 1, 3])("of epoch %i covers nothing of epoch 2", (epoch) => {
    const session = openSession();
    session.receive(reset(2, 0, 0));
    session.place(7, 2, draft(), 0);
    expect(session.receive(ack(1, { epoch }))).toEqual([]);
    expect(session.isQuiet).toBe(false);
  });

  test("of the last frame says that the stream is finished", () => {
    const session = openSession();
    session.place(7, 1, draft(), 0);
    session.place(7, 1, draft({ count: 0, creditBytes: 0, isFinal: true }), 0);
    expect(session.receive(ack(1))).toMatchObject([{ finished: false }]);
    expect(session.receive(ack(2))).toMatchObject([{ finished: true, nextSeq: 10 }]);
  });
});

describe("a reset", () => {
  test("voids the frames on their way and says where to read on", () => {
    const session = openSession();
    session.place(7, 1, draft(), 0);
    session.place(7, 1, draft(), 0);
    expect(session.receive(reset(2, 1, 10))).toEqual([
      {
        kind: "rewind",
        key: 7,
        epoch: 2,
        nextSeq: 10,
        cursor: cursor(9),
        created: false,
        rejected: undefined,
      },
    ]);
    expect(session.isQuiet).toBe(true);
    expect(session.oldestUnackedMs(9)).toBeUndefined();
    expect(session.receive(ack(2))).toEqual([]);
    expect(session.place(7, 2, draft(), 0)).toMatchObject({ epoch: 2, ordinal: 1, firstSeq: 10 });
  });

  test("of one stream leaves the frames of others on their way", () => {
    const session = openSession([7, 8]);
    session.place(7, 1, draft(), 0);
    session.place(8, 1, draft(), 0);
    session.receive(reset(2, 0, 0));
    expect(session.receive(ack(1, { stream: 1 }))).toMatchObject([{ kind: "acked", key: 8 }]);
  });
});

describe("a reject", () => {
  test("names the frame at fault and voids those behind it", () => {
    const session = openSession();
    session.place(7, 1, draft({ cursor: cursor(1) }), 0);
    session.place(7, 1, draft({ cursor: cursor(2), count: 4 }), 0);
    session.place(7, 1, draft({ cursor: cursor(3) }), 0);
    session.receive(ack(1));
    expect(session.receive(reject(2, 1, 10))).toEqual([
      {
        kind: "rewind",
        key: 7,
        epoch: 2,
        nextSeq: 10,
        cursor: cursor(9),
        created: false,
        rejected: {
          ordinal: 1,
          firstSeq: 10,
          count: 4,
          cursorAfter: cursor(2),
          code: "bad_columns",
          detail: "the times are malformed",
        },
      },
    ]);
    expect(session.isQuiet).toBe(true);
  });

  test("of a frame that is not on its way only rewinds", () => {
    const session = openSession();
    expect(rewindOf(session.receive(reject(2, 0, 0))).rejected).toBeUndefined();
  });

  /** b: a batch is rejected, g: the gap in its place is acked, a: a batch is acked, r: a reconnect. */
  test.each([
    ["b", false],
    ["bb", false],
    ["bbb", true],
    ["bgbgb", true],
    ["brbrb", true],
    ["bgbgab", false],
    ["babab", false],
    ["bbabb", false],
    ["bbabbb", true],
  ])("history %s ends with the stream stopped: %s", (history, isStopped) => {
    const session = openSession();
    let epoch = 1;
    let ordinal = 0;
    let rewinds = 1;
    let kinds: string[] = [];
    for (const event of history) {
      if (event === "r") {
        reconnect(session);
        epoch += 1;
        rewinds += 1;
        session.receive(opened([0], { epoch, ordinal }));
        continue;
      }
      session.place(7, rewinds, draft(event === "g" ? { creditBytes: 0 } : {}), 0);
      if (event === "b") {
        epoch += 1;
        rewinds += 1;
        kinds = session.receive(reject(epoch, ordinal, 0)).map(({ kind }) => kind);
      } else {
        ordinal += 1;
        session.receive(ack(ordinal, { epoch }));
      }
    }
    expect(kinds).toEqual(isStopped ? ["stopped", "credit"] : ["rewind"]);
    expect(session.isQuiet).toBe(true);
  });

  test("ends the stream until the agent restarts where it is the last of a row", () => {
    const session = openSession([7, 8]);
    for (let i = 0; i < LIMITS.rejectsInARow; i++) {
      session.place(7, i + 1, draft(), 0);
      session.receive(reject(i + 2, 0, 0));
    }
    const stopped = LIMITS.rejectsInARow;
    expect(session.place(7, stopped, draft(), 0)).toBeUndefined();
    expect(session.receive(reset(9, 0, 0))).toEqual([]);
    expect(session.receive(reject(9, 0, 0))).toEqual([]);
    expect(session.receive(ack(1, { epoch: stopped }))).toEqual([]);
    expect(session.report([{ key: 7, behindBytes: 1 }], 0)).toEqual([]);
    expect(session.place(8, 1, draft(), 0)).toBeDefined();
    expect(openings(reconnect(session)).map(({ source }) => source)).toEqual(["/var/log/8"]);
  });
});
