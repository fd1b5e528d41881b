import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeBatch } from "../src/batch.ts";
import { decodeColumns, encodeColumns } from "../src/columns.ts";
import { decodeAgentMessage, decodeCollectorMessage, encodeControl } from "../src/control-codec.ts";
import type { Frame } from "../src/frame.ts";
import { decodeMessage } from "../src/frame-decode.ts";
import { encodeMessage } from "../src/frame-encode.ts";
import { type RecordOfTest, toColumns, toRecords } from "./arbitraries.ts";

/** The vectors pin version 1. A test that fails here has found a change of the format. */
function vectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../golden/v1/${name}.json`, import.meta.url), "utf8"));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

type RecordVector = Omit<RecordOfTest, "body" | "attributes"> & {
  bodyHex: string;
  attributes?: Record<string, string>;
};

function fromVector({ bodyHex, timeUs, severity, attributes }: RecordVector): RecordOfTest {
  return { timeUs, severity, body: unhex(bodyHex), attributes };
}

describe("payload", () => {
  const payloads = vectors("payloads") as { name: string; hex: string; records: RecordVector[] }[];
  test.each(payloads)("$name", (vector) => {
    const records = vector.records.map(fromVector);
    expect(hex(encodeColumns(toColumns(records)))).toBe(vector.hex);
    const decoded = decodeColumns(unhex(vector.hex), records.length);
    expect(decoded.ok && toRecords(decoded.value)).toEqual(records);
  });
});

type FrameVector = Omit<Frame, "cursor" | "payload"> & { cursorHex: string; payloadHex?: string };

function fromFrameVector({ cursorHex, payloadHex, ...rest }: FrameVector): Frame {
  const payload = payloadHex === undefined ? {} : { payload: unhex(payloadHex) };
  return { ...rest, cursor: unhex(cursorHex), ...payload } as Frame;
}

function toFrameVector(frame: Frame): FrameVector {
  const { cursor, ...rest } = frame;
  if (rest.kind !== "batch") return { ...rest, cursorHex: hex(cursor) };
  const { payload, ...batch } = rest;
  return { ...batch, cursorHex: hex(cursor), payloadHex: hex(payload) };
}

describe("message", () => {
  const messages = vectors("messages") as { name: string; hex: string; frames: FrameVector[] }[];
  test.each(messages)("$name", (vector) => {
    expect(hex(encodeMessage(vector.frames.map(fromFrameVector)))).toBe(vector.hex);
    const decoded = decodeMessage(unhex(vector.hex));
    expect(decoded.ok && decoded.value.map(toFrameVector)).toEqual(vector.frames);
    for (const frame of decoded.ok ? decoded.value : [])
      expect(frame.kind !== "batch" || decodeBatch(frame).ok).toBe(true);
  });
});

describe("control message", () => {
  const controls = vectors("control") as { from: "agent" | "collector"; text: string }[];
  test.each(controls)("$text", ({ from, text }) => {
    const decoded = from === "agent" ? decodeAgentMessage(text) : decodeCollectorMessage(text);
    expect(decoded.ok && encodeControl(decoded.value)).toBe(text);
  });

  test("every type of message has a vector", () => {
    const types = controls.map(({ text }) => (JSON.parse(text) as { type: string }).type);
    expect([...new Set(types)].toSorted()).toEqual([
      "ack",
      "credit",
      "failed",
      "goaway",
      "hello",
      "open",
      "opened",
      "reject",
      "report",
      "reset",
      "rotate",
      "unfinished",
      "welcome",
    ]);
  });
});

describe("refused", () => {
  const refused = vectors("refused") as { name: string; hex: string; code: string }[];
  test.each(refused)("$name", (vector) => {
    const message = decodeMessage(unhex(vector.hex));
    if (!message.ok) {
      expect(message.error.kind).toBe(vector.code);
      return;
    }
    const [frame] = message.value;
    const decoded = frame?.kind === "batch" ? decodeBatch(frame) : undefined;
    expect(decoded).toMatchObject({ ok: false, error: { code: vector.code } });
  });
});
