import {
  type AdvanceFrame,
  type Attributes,
  type BatchFrame,
  compressPayloadSync,
  encodeColumns,
  encodeMessage,
  type Frame,
  type GapFrame,
  PAYLOAD_CODEC_ZSTD,
} from "@sluice/protocol";

import type { FramePlace } from "../src/head/position.ts";

export interface TestRecord {
  readonly body: string | Uint8Array;
  readonly timeUs?: number;
  readonly severity?: number;
  readonly attributes?: Attributes;
}

export interface TestPlace extends FramePlace {
  /** The number that the connection gave the stream. */
  readonly stream?: number;
  /** As text; frames of a test carry it to be told apart by it. */
  readonly cursor?: string;
}

const LF = Buffer.from("\n");

export function batchFrame(place: TestPlace, records: readonly TestRecord[]): BatchFrame {
  const bodies = records.map(({ body }) => Buffer.from(body as string));
  const bodyOffsets = new Uint32Array(records.length + 1);
  bodies.forEach((body, i) => (bodyOffsets[i + 1] = (bodyOffsets[i] ?? 0) + body.length + 1));
  const timesUs = Float64Array.from(records, ({ timeUs }, i) => timeUs ?? i);
  const raw = encodeColumns({
    count: records.length,
    timesUs,
    severities: Uint8Array.from(records, ({ severity }) => severity ?? 0),
    bodyOffsets,
    bodies: Buffer.concat(bodies.flatMap((body) => [body, LF])),
    attributes: records.map(({ attributes }) => attributes),
  });
  return {
    kind: "batch",
    ...position(place, records.length),
    minTimeUs: Math.min(...timesUs),
    maxTimeUs: Math.max(...timesUs),
    rawBytes: raw.length,
    codec: PAYLOAD_CODEC_ZSTD,
    payload: compressPayloadSync(raw),
  };
}

export function linesFrame(place: TestPlace, ...lines: readonly string[]): BatchFrame {
  return batchFrame(
    place,
    lines.map((body) => ({ body })),
  );
}

export function gapFrame(place: TestPlace, count = 0): GapFrame {
  return {
    kind: "gap",
    ...position(place, count),
    cause: "truncated",
    timeUs: 5,
    range: { fromByte: 10, bytes: 20 },
    detail: "cut while it was read",
  };
}

export function finalFrame(place: TestPlace): AdvanceFrame {
  return {
    kind: "advance",
    ...position(place, 0),
    filteredRecords: 3,
    filteredBytes: 40,
    final: true,
  };
}

/** One binary message of its own buffer, which may be transferred. */
export function messageOf(...frames: readonly Frame[]): Uint8Array {
  return Uint8Array.from(encodeMessage(frames));
}

function position({ stream = 0, cursor = "after", ...place }: TestPlace, count: number) {
  return { ...place, stream, count, cursor: new TextEncoder().encode(cursor) };
}
