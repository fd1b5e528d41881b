import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ControlMessage } from "../src/control.ts";
import { decodeAgentMessage, decodeCollectorMessage, encodeControl } from "../src/control-codec.ts";
import { LIMITS } from "../src/limits.ts";
import { controlMessage } from "./arbitraries.ts";

const AGENT_TYPES = ["hello", "open", "report"];

function decode(message: { type: string }, text: string) {
  return AGENT_TYPES.includes(message.type)
    ? decodeAgentMessage(text)
    : decodeCollectorMessage(text);
}

function hex(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(hex);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hex(inner)]));
}

const hello = {
  type: "hello",
  protocol: 1,
  agentId: "0197a1d2-7c54-7a3e-9f10-2b6f5d8c4e01",
  instance: "n1",
  hostname: "web-1",
  version: "0.1.0",
  labels: { env: "prod" },
  clockUs: 1,
} as const;
const cursor = Uint8Array.of(1, 2, 255);
const open = {
  type: "open",
  streams: [{ stream: 0, source: "/var/log/a", generation: 0, initialCursor: cursor, labels: {} }],
} as const;
const ack = { type: "ack", streams: [{ stream: 0, epoch: 1, ordinal: 2, nextSeq: 3 }] } as const;
const reject = {
  type: "reject",
  stream: 0,
  epoch: 1,
  ordinal: 2,
  nextSeq: 3,
  cursor,
  code: "bad_columns",
  detail: "",
} as const;

/** The JSON of a message with the value at `path` replaced. */
function edited(message: ControlMessage, path: ReadonlyArray<string | number>, value: unknown) {
  const json = JSON.parse(encodeControl(message)) as Record<string | number, unknown>;
  let target = json;
  for (const key of path.slice(0, -1)) target = target[key] as Record<string | number, unknown>;
  target[path.at(-1) ?? ""] = value;
  return JSON.stringify(json);
}

describe("control messages", () => {
  test("any message is decoded to the same message", () => {
    fc.assert(
      fc.property(controlMessage, (message) => {
        const decoded = decode(message, encodeControl(message));
        expect(decoded.ok && hex(decoded.value)).toEqual(hex(message));
      }),
    );
  });

  test("cursors are bytes here and base64 on the wire, in a Buffer or not", () => {
    const text = encodeControl(open);
    expect(JSON.parse(text)).toMatchObject({ streams: [{ initialCursor: "AQL/" }] });
    const buffered = {
      ...open,
      streams: [{ ...open.streams[0], initialCursor: Buffer.from(cursor) }],
    };
    expect(encodeControl(buffered)).toBe(text);
  });

  test("unknown keys are ignored", () => {
    const decoded = decodeAgentMessage(edited(hello, ["later"], { version: 2 }));
    expect(decoded).toEqual({ ok: true, value: hello });
  });

  test("a type of the other direction is unknown in this one", () => {
    expect(decodeAgentMessage(encodeControl(ack))).toMatchObject({
      error: { kind: "unknown_type" },
    });
    expect(decodeCollectorMessage(encodeControl(hello))).toMatchObject({
      error: { kind: "unknown_type" },
    });
  });

  test("a type that a later version may add is told from a malformed message", () => {
    expect(decodeAgentMessage('{"type":"later"}')).toMatchObject({
      error: { kind: "unknown_type" },
    });
    expect(decodeAgentMessage('{"type":"constructor"}')).toMatchObject({
      error: { kind: "unknown_type" },
    });
  });

  test("an error names the field", () => {
    expect(decodeAgentMessage(edited(open, ["streams", 0, "generation"], -1))).toEqual({
      ok: false,
      error: { kind: "malformed", detail: "open: invalid streams.0.generation" },
    });
  });

  test.each(["", "{", "null", "[]", '"hello"', "1", "{}"])(
    "%j is refused as no message",
    (text) => {
      expect(decodeAgentMessage(text)).toMatchObject({ ok: false, error: { kind: "not_json" } });
    },
  );

  test("a message above the limit is refused unread, and one encoded throws", () => {
    const text = `${" ".repeat(LIMITS.controlBytes)}{}`;
    expect(decodeAgentMessage(text)).toMatchObject({ error: { kind: "too_large" } });
    const streams = Array.from({ length: 100_000 }, () => ack.streams[0]);
    expect(() => encodeControl({ type: "ack", streams })).toThrow(RangeError);
  });

  test("a full list of the largest entries fits one message", () => {
    const labels = { k: "\u0001".repeat((LIMITS.labelsBytes - 8) / 6) };
    const source = "\u0001".repeat((LIMITS.sourceBytes - 2) / 6);
    const entry = { source, generation: Number.MAX_SAFE_INTEGER, labels };
    const streams = Array.from({ length: LIMITS.controlStreams }, (_, stream) => ({
      ...entry,
      stream,
      initialCursor: new Uint8Array(LIMITS.cursorBytes),
    }));
    expect(decodeAgentMessage(encodeControl({ type: "open", streams })).ok).toBe(true);
    const many = Object.fromEntries(Array.from({ length: LIMITS.labels }, (_, i) => [`k${i}`, ""]));
    const labelled = streams.map((stream) => ({ ...stream, labels: many }));
    expect(decodeAgentMessage(encodeControl({ type: "open", streams: labelled })).ok).toBe(true);
  });
});

describe("an agent's message is refused", () => {
  test.each<[string, ReadonlyArray<string | number>, unknown]>([
    ["with an agent id that is no UUID", ["agentId"], "web-1"],
    ["with an agent id in upper case", ["agentId"], hello.agentId.toUpperCase()],
    ["with a number as a string", ["protocol"], "1"],
    ["with a fraction", ["protocol"], 1.5],
    ["with an unsafe integer", ["clockUs"], 2 ** 53],
    ["with a missing field", ["hostname"], undefined],
    ["with an empty name", ["hostname"], ""],
    ["with a name above its limit", ["hostname"], "x".repeat(LIMITS.nameBytes + 1)],
    ["with a NUL in a name", ["hostname"], "a\0b"],
    ["with a lone surrogate in a name", ["hostname"], "\ud800"],
    ["with a label that is no word", ["labels"], { "a b": "c" }],
    ["with a label that is no string", ["labels"], { a: 1 }],
    ["with too many labels", ["labels"], manyLabels()],
    ["with labels above their limit", ["labels"], { a: "x".repeat(LIMITS.labelsBytes) }],
  ])("%s", (_, path, value) => {
    expect(decodeAgentMessage(edited(hello, path, value))).toMatchObject({
      error: { kind: "malformed" },
    });
  });

  test.each<[string, ReadonlyArray<string | number>, unknown]>([
    ["with a list that is none", ["streams"], {}],
    ["with too long a list", ["streams"], Array.from({ length: 257 }, () => openJson())],
    ["with a stream above u32", ["streams", 0, "stream"], 2 ** 32],
    ["with an empty source", ["streams", 0, "source"], ""],
    ["with a source above its limit", ["streams", 0, "source"], "é".repeat(2048)],
    ["with a cursor that is not base64", ["streams", 0, "initialCursor"], "!!!!"],
    ["with a cursor in base64url", ["streams", 0, "initialCursor"], "AQL_"],
    ["with a cursor without padding", ["streams", 0, "initialCursor"], "AQ"],
    ["with a cursor whose padding lies", ["streams", 0, "initialCursor"], "AR=="],
    ["with a cursor above its limit", ["streams", 0, "initialCursor"], "AAAA".repeat(1366)],
  ])("%s", (_, path, value) => {
    expect(decodeAgentMessage(edited(open, path, value))).toMatchObject({
      error: { kind: "malformed" },
    });
  });
});

test.each<[string, string, unknown]>([
  ["an unknown code", "code", "because"],
  ["a code that objects inherit", "code", "toString"],
  ["a detail above its limit", "detail", "é".repeat(LIMITS.detailBytes / 2 + 1)],
  ["a negative sequence number", "nextSeq", -1],
])("a collector's message is refused with %s", (_, key, value) => {
  expect(decodeCollectorMessage(edited(reject, [key], value))).toMatchObject({
    error: { kind: "malformed" },
  });
});

function manyLabels(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: LIMITS.labels + 1 }, (_, i) => [`l${i}`, ""]));
}

function openJson(): unknown {
  return { ...open.streams[0], initialCursor: "" };
}
