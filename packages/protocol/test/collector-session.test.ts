import { describe, expect, test } from "vitest";
import { CLOSE_CODES } from "../src/codes.ts";
import { CollectorSession, type StreamOutcome } from "../src/collector-session.ts";
import type { HelloMessage, OpenMessage, UnfinishedStream } from "../src/control.ts";
import { LIMITS } from "../src/limits.ts";
import { cursor, IDENTITY, welcome } from "./agent-parts.ts";

const hello: HelloMessage = { type: "hello", protocol: 1, ...IDENTITY, clockUs: 0 };
const terms = { storeId: welcome().storeId, creditBytes: 5, clockUs: 6, unfinished: [] };

function open(count: number): OpenMessage {
  const streams = Array.from({ length: count }, (_, stream) => ({
    stream,
    source: `/${stream}`,
    generation: 0,
    initialCursor: cursor(0),
    labels: {},
  }));
  return { type: "open", streams };
}

type Phase = CollectorSession["phase"];

/** A session that has just come to this phase. */
function sessionIn(phase: Phase): CollectorSession {
  const session = new CollectorSession();
  if (phase !== "greeting") {
    session.receive(hello);
  }
  if (phase === "live") {
    session.welcomed(terms);
  }
  if (phase === "closed") {
    session.closed();
  }
  expect(session.phase).toBe(phase);
  return session;
}

const at = { epoch: 3, ordinal: 8, nextSeq: 90, cursor: cursor(4) };

/** The store tells more of a stream than the agent is told. */
const storedStream = { stream: 0, created: true, streamId: 4, ...at };

const INPUTS = {
  hello: (session: CollectorSession) => session.receive(hello),
  open: (session: CollectorSession) => session.receive(open(2)),
  report: (session: CollectorSession) => session.receive({ type: "report", streams: [] }),
  frames: (session: CollectorSession) => session.receiveBinary(100, 900),
  welcomed: (session: CollectorSession) => session.welcomed(terms),
  opened: (session: CollectorSession) => session.opened([storedStream]),
  committed: (session: CollectorSession) =>
    session.committed(100, [{ stream: 0, outcome: { kind: "accepted", position: at } }]),
  malformed: (session: CollectorSession) => session.malformed("not frames"),
  grant: (session: CollectorSession) => session.grant(0),
  "hello timeout": (session: CollectorSession) => session.helloTimedOut(),
} as const;

const badMessage = (reason: string) => ({ kind: "close", code: CLOSE_CODES.badMessage, reason });
const wrongTime = (what: string) => badMessage(`${what} came before welcome`);
const timeout = { kind: "close", code: CLOSE_CODES.helloTimeout, reason: "no hello in time" };
const send = (message: object) => ({ kind: "send", message });
const { cursor: _, ...acked } = at;

/** Input by phase: the effect, and the phase that follows; a blank cell is none and the same. */
const TABLE: ReadonlyArray<[keyof typeof INPUTS, Phase, object | undefined, Phase]> = [
  ["hello", "greeting", { kind: "introduce", hello }, "introducing"],
  ["hello", "introducing", badMessage("hello came twice"), "closed"],
  ["hello", "live", badMessage("hello came twice"), "closed"],
  ["open", "greeting", wrongTime("open"), "closed"],
  ["open", "introducing", wrongTime("open"), "closed"],
  ["open", "live", { kind: "open", streams: open(2).streams }, "live"],
  ["report", "greeting", wrongTime("report"), "closed"],
  ["report", "introducing", wrongTime("report"), "closed"],
  ["report", "live", { kind: "report", streams: [] }, "live"],
  ["frames", "greeting", wrongTime("a batch"), "closed"],
  ["frames", "introducing", wrongTime("a batch"), "closed"],
  ["frames", "live", { kind: "append" }, "live"],
  ["welcomed", "greeting", undefined, "greeting"],
  ["welcomed", "introducing", send(welcome({ creditBytes: 5, clockUs: 6 })), "live"],
  ["welcomed", "live", undefined, "live"],
  ["opened", "greeting", undefined, "greeting"],
  ["opened", "introducing", undefined, "introducing"],
  [
    "opened",
    "live",
    send({ type: "opened", streams: [{ stream: 0, ...at, created: true }] }),
    "live",
  ],
  ["committed", "greeting", undefined, "greeting"],
  ["committed", "introducing", undefined, "introducing"],
  ["committed", "live", send({ type: "ack", streams: [{ stream: 0, ...acked }] }), "live"],
  ["malformed", "greeting", undefined, "greeting"],
  ["malformed", "introducing", undefined, "introducing"],
  ["malformed", "live", badMessage("not frames"), "closed"],
  ["grant", "greeting", undefined, "greeting"],
  ["grant", "introducing", undefined, "introducing"],
  ["grant", "live", send({ type: "credit", bytes: 0 }), "live"],
  ["hello timeout", "greeting", timeout, "closed"],
  ["hello timeout", "introducing", undefined, "introducing"],
  ["hello timeout", "live", undefined, "live"],
];

describe("the collector's connection", () => {
  test.each(TABLE)("takes %s in phase %s as its table says", (input, phase, effect, next) => {
    const session = sessionIn(phase);
    expect(INPUTS[input](session)).toEqual(effect === undefined ? [] : [effect]);
    expect(session.phase).toBe(next);
  });

  test.each(Object.entries(INPUTS))("does nothing about %s once it is closed", (_name, take) => {
    const session = sessionIn("closed");
    expect(take(session)).toEqual([]);
    expect(session.phase).toBe("closed");
  });

  test.each([
    [0, [0]],
    [LIMITS.controlStreams, [LIMITS.controlStreams]],
    [LIMITS.controlStreams + 1, [LIMITS.controlStreams, 1]],
    [2 * LIMITS.controlStreams + 1, [LIMITS.controlStreams, LIMITS.controlStreams, 1]],
  ])("lists %i unfinished streams in messages of %j, the last of which says so", (count, parts) => {
    const unfinished: UnfinishedStream[] = Array.from({ length: count }, (_unused, generation) => ({
      source: "/a",
      generation,
      cursor: cursor(0),
      nextSeq: 0,
    }));
    const messages = sessionIn("introducing")
      .welcomed({ ...terms, unfinished })
      .flatMap((effect) => (effect.kind === "send" ? [effect.message] : []));
    const lists = messages.flatMap((message) =>
      message.type === "welcome" || message.type === "unfinished" ? [message] : [],
    );
    expect(lists.map(({ type }) => type)).toEqual(
      parts.map((_unused, i) => (i === 0 ? "welcome" : "unfinished")),
    );
    expect(lists.map(({ streams }) => streams.length)).toEqual(parts);
    expect(lists.map(({ more }) => more)).toEqual(parts.map((_unused, i) => i < parts.length - 1));
    expect(lists.flatMap(({ streams }) => streams)).toEqual(unfinished);
  });

  test.each([
    [0, []],
    [LIMITS.controlStreams, [LIMITS.controlStreams]],
    [2 * LIMITS.controlStreams + 1, [LIMITS.controlStreams, LIMITS.controlStreams, 1]],
  ])("acknowledges %i streams of one commit in messages of %j", (count, parts) => {
    const outcomes = Array.from({ length: count }, (_unused, stream) => ({
      stream,
      outcome: {
        kind: "accepted" as const,
        position: { epoch: 1, ordinal: 1, nextSeq: 1, cursor: cursor(0) },
      },
    }));
    const acks = sessionIn("live")
      .committed(0, outcomes)
      .flatMap((effect) =>
        effect.kind === "send" && effect.message.type === "ack" ? [effect.message] : [],
      );
    expect(acks.map(({ streams }) => streams.length)).toEqual(parts);
    expect(acks.flatMap(({ streams }) => streams.map(({ stream }) => stream))).toEqual(
      outcomes.map(({ stream }) => stream),
    );
  });

  test("opens as many streams as one agent may have, over all its messages, and not one more", () => {
    const session = sessionIn("live");
    const messages = LIMITS.streamsPerAgent / LIMITS.controlStreams;
    for (let i = 0; i < messages; i++) {
      expect(session.receive(open(LIMITS.controlStreams))).toMatchObject([{ kind: "open" }]);
    }
    expect(session.receive(open(1))).toMatchObject([
      { kind: "close", code: CLOSE_CODES.tooManyStreams },
    ]);
  });

  test("holds as many bytes as the credit and a message, and closes one byte beyond", () => {
    const most = LIMITS.creditPerAgentBytes + LIMITS.framePayloadBytes;
    const session = sessionIn("live");
    expect(session.receiveBinary(most, 0)).toEqual([{ kind: "append" }]);
    expect(session.committed(most, [])).toEqual([]);
    expect(session.receiveBinary(most, 0)).toEqual([{ kind: "append" }]);
    session.dropped(most);
    expect(session.receiveBinary(most, 0)).toEqual([{ kind: "append" }]);
    session.refused();
    expect(session.receiveBinary(most, 0)).toEqual([{ kind: "append" }]);
    expect(session.receiveBinary(1, 0)).toMatchObject([
      { kind: "close", code: CLOSE_CODES.creditExceeded },
    ]);
    expect(session.phase).toBe("closed");
  });

  test("holds what inflates to several times the credit, message by message, and not a byte more", () => {
    const session = sessionIn("live");
    const part = LIMITS.waitingRawBytes / 4;
    for (let i = 0; i < 4; i++) {
      expect(session.receiveBinary(10, part)).toEqual([{ kind: "append" }]);
    }
    session.committed(20, []);
    for (let i = 0; i < 2; i++) {
      expect(session.receiveBinary(10, part)).toEqual([{ kind: "append" }]);
    }
    expect(session.receiveBinary(10, 1)).toMatchObject([
      { kind: "close", code: CLOSE_CODES.creditExceeded },
    ]);
  });

  test("closes on one message that would inflate to more than the credit and a batch", () => {
    const most = LIMITS.creditPerAgentBytes + LIMITS.payloadRawBytes;
    const session = sessionIn("live");
    expect(session.receiveBinary(10, most)).toEqual([{ kind: "append" }]);
    session.committed(10, []);
    expect(session.receiveBinary(10, most + 1)).toMatchObject([
      { kind: "close", code: CLOSE_CODES.creditExceeded },
    ]);
  });
});

describe("a commit", () => {
  const accepted = (stream: number, ordinal: number): StreamOutcome => ({
    stream,
    outcome: { kind: "accepted", position: { ...at, ordinal } },
  });

  test("is told as one ack of the last position of each stream", () => {
    const effects = sessionIn("live").committed(0, [
      accepted(0, 1),
      accepted(1, 5),
      accepted(0, 2),
      accepted(0, 3),
    ]);
    expect(effects).toEqual([
      send({
        type: "ack",
        streams: [
          { stream: 0, ...acked, ordinal: 3 },
          { stream: 1, ...acked, ordinal: 5 },
        ],
      }),
    ]);
  });

  test("acknowledges what was stored before it says what was not", () => {
    const effects = sessionIn("live").committed(0, [
      { stream: 1, outcome: { kind: "reset", position: at, reason: "out_of_sequence" } },
      accepted(0, 1),
      {
        stream: 0,
        outcome: { kind: "rejected", position: at, code: "bad_columns", detail: "malformed" },
      },
    ]);
    expect(effects).toEqual([
      send({ type: "ack", streams: [{ stream: 0, ...acked, ordinal: 1 }] }),
      send({ type: "reset", streams: [{ stream: 1, ...at, reason: "out_of_sequence" }] }),
      send({ type: "reject", stream: 0, ...at, code: "bad_columns", detail: "malformed" }),
    ]);
  });

  test.each([
    [1, [1]],
    [LIMITS.controlStreams, [LIMITS.controlStreams]],
    [LIMITS.controlStreams + 1, [LIMITS.controlStreams, 1]],
  ])("sends %i streams back in messages of %j", (count, parts) => {
    const effects = sessionIn("live").committed(
      0,
      Array.from({ length: count }, (_unused, stream) => ({
        stream,
        outcome: { kind: "reset" as const, position: at, reason: "corrupt" as const },
      })),
    );
    const resets = effects.flatMap((effect) =>
      effect.kind === "send" && effect.message.type === "reset" ? [effect.message.streams] : [],
    );
    expect(resets.map(({ length }) => length)).toEqual(parts);
    expect(resets.flat().map(({ stream }) => stream)).toEqual([...Array(count).keys()]);
  });

  test("says nothing about stale frames", () => {
    expect(sessionIn("live").committed(0, [{ stream: 0, outcome: { kind: "stale" } }])).toEqual([]);
  });
});
