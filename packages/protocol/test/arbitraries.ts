import * as fc from "fast-check";
import type { ControlMessage } from "../src/control.ts";
import type { BatchFrame, Frame } from "../src/frame.ts";
import { GAP_CAUSES, PAYLOAD_CODEC_ZSTD } from "../src/frame.ts";
import { FAILED_NOTES, GOAWAY_NOTES, REJECT_NOTES, RESET_NOTES } from "../src/codes.ts";
import { compressPayloadSync } from "../src/compression.ts";
import { encodeColumns } from "../src/columns.ts";
import { LIMITS } from "../src/limits.ts";
import { type Attributes, MAX_TIME_US, type RecordColumns } from "../src/record.ts";

/** One record as an object: what columns are compared by. */
export interface RecordOfTest {
  readonly timeUs: number;
  readonly severity: number;
  readonly body: Uint8Array;
  readonly attributes: Attributes | undefined;
}

const YEAR_US = 365.25 * 86_400 * 1e6;
const NOW_US = 1_750_000_000_000_000;

const timeUs: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: NOW_US - 10 * YEAR_US, max: NOW_US + 10 * YEAR_US }),
  fc.integer({ min: -YEAR_US, max: YEAR_US }),
  fc.constantFrom(-MAX_TIME_US, MAX_TIME_US, 0, -1, 1),
);

const attributes: fc.Arbitrary<Attributes | undefined> = fc.option(
  fc
    .dictionary(
      fc.oneof(fc.string({ unit: "grapheme", maxLength: 8 }), fc.constant("__proto__")),
      fc.string({ unit: "binary", maxLength: 8 }).filter((text) => text.isWellFormed()),
      { minKeys: 1, maxKeys: 4, noNullPrototype: false },
    )
    .filter((record) => Object.keys(record).every((key) => key.isWellFormed())),
  { nil: undefined, freq: 3 },
);

const body: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constant(new Uint8Array(0)),
  fc.constant(Uint8Array.of(0x0a, 0x0d, 0x00, 0xff)),
  fc.uint8Array({ minLength: 120, maxLength: 300 }),
);

export const records: fc.Arbitrary<RecordOfTest[]> = fc.array(
  fc.record({ timeUs, severity: fc.integer({ min: 0, max: 24 }), body, attributes }),
  { minLength: 1, maxLength: 40 },
);

export function toColumns(list: readonly RecordOfTest[]): RecordColumns {
  const bodyOffsets = new Uint32Array(list.length + 1);
  list.forEach((record, i) => {
    bodyOffsets[i + 1] = (bodyOffsets[i] ?? 0) + record.body.length + 1;
  });
  return {
    count: list.length,
    timesUs: Float64Array.from(list, (record) => record.timeUs),
    severities: Uint8Array.from(list, (record) => record.severity),
    bodyOffsets,
    bodies: Buffer.concat(list.flatMap((record) => [record.body, Uint8Array.of(0x0a)])),
    attributes: list.some((record) => record.attributes !== undefined)
      ? list.map((record) => record.attributes)
      : undefined,
  };
}

export function toRecords(columns: RecordColumns): RecordOfTest[] {
  return Array.from({ length: columns.count }, (_, i) => ({
    timeUs: columns.timesUs[i] ?? 0,
    severity: columns.severities[i] ?? 0,
    body: Uint8Array.from(
      columns.bodies.subarray(columns.bodyOffsets[i], (columns.bodyOffsets[i + 1] ?? 0) - 1),
    ),
    attributes: columns.attributes?.[i],
  }));
}

const uint32 = fc.oneof(fc.nat({ max: 5 }), fc.integer({ min: 0, max: 0xffff_ffff }));
const counter: fc.Arbitrary<number> = fc.oneof(
  fc.nat({ max: 300 }),
  fc.integer({ min: 0, max: 2 ** 52 }),
);
const cursor = fc.uint8Array({ maxLength: 40 });

const position = { stream: uint32, epoch: uint32, ordinal: counter, firstSeq: counter, cursor };

export const batchFrame: fc.Arbitrary<BatchFrame> = fc
  .record({ ...position, list: records })
  .map(({ list, ...rest }) => {
    const payload = encodeColumns(toColumns(list));
    const times = list.map((record) => record.timeUs);
    return {
      kind: "batch",
      ...rest,
      count: list.length,
      minTimeUs: Math.min(...times),
      maxTimeUs: Math.max(...times),
      rawBytes: payload.length,
      codec: PAYLOAD_CODEC_ZSTD,
      payload: compressPayloadSync(payload),
    };
  });

const range = fc.oneof(
  fc.constant("unknown" as const),
  fc
    .record(
      { fromByte: fc.nat(), toByte: fc.integer({ min: 2 ** 31, max: 2 ** 52 }), bytes: counter },
      { requiredKeys: [] },
    )
    .map((known) => (Object.keys(known).length === 0 ? "unknown" : known)),
);

const detail = fc
  .string({ unit: "grapheme", maxLength: 60 })
  .filter((text) => text.isWellFormed() && !text.includes("\0"));

export const frame: fc.Arbitrary<Frame> = fc.oneof(
  batchFrame,
  fc.record({
    kind: fc.constant("gap" as const),
    ...position,
    count: uint32,
    cause: fc.constantFrom(...GAP_CAUSES),
    timeUs,
    range,
    detail,
  }),
  fc.record({
    kind: fc.constant("advance" as const),
    ...position,
    count: fc.constant(0),
    filteredRecords: counter,
    filteredBytes: counter,
    final: fc.boolean(),
  }),
);

const uuid = fc.uuid().map((id) => id.toLowerCase());
const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((text) => text.isWellFormed() && !text.includes("\0"));
const labels = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/), name, {
  maxKeys: 4,
  noNullPrototype: true,
});
const at = { stream: uint32, epoch: uint32, ordinal: counter, nextSeq: counter };
const unfinished = fc.array(
  fc.record({ source: name, generation: counter, cursor, nextSeq: counter }),
  { maxLength: 3 },
);
const keysOf = <Code extends string>(notes: Readonly<Record<Code, unknown>>) =>
  fc.constantFrom(...(Object.keys(notes) as Code[]));

export const controlMessage: fc.Arbitrary<ControlMessage> = fc.oneof(
  fc.record({
    type: fc.constant("hello" as const),
    protocol: uint32,
    agentId: uuid,
    instance: name,
    hostname: name,
    version: name,
    labels,
    clockUs: timeUs,
  }),
  fc.record({
    type: fc.constant("open" as const),
    streams: fc.array(
      fc.record({
        stream: uint32,
        source: name,
        generation: counter,
        initialCursor: cursor,
        labels,
      }),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    type: fc.constant("report" as const),
    streams: fc.array(
      fc.record({ stream: uint32, behindBytes: counter, oldestUnackedMs: counter }),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    type: fc.constant("welcome" as const),
    storeId: uuid,
    creditBytes: counter,
    limits: fc.record({
      batchRawBytes: fc.nat({ max: LIMITS.batchRawBytes }),
      batchRecords: fc.nat({ max: LIMITS.batchRecords }),
      recordBytes: fc.nat({ max: LIMITS.recordBytes }),
      framePayloadBytes: fc.nat({ max: LIMITS.framePayloadBytes }),
      streamsPerAgent: fc.nat({ max: LIMITS.streamsPerAgent }),
    }),
    clockUs: timeUs,
    streams: unfinished,
    more: fc.boolean(),
  }),
  fc.record({ type: fc.constant("unfinished" as const), streams: unfinished, more: fc.boolean() }),
  fc.record({
    type: fc.constant("opened" as const),
    streams: fc.array(fc.record({ ...at, cursor, created: fc.boolean() }), { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constant("ack" as const),
    streams: fc.array(fc.record(at), { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constant("reset" as const),
    streams: fc.array(fc.record({ ...at, cursor, reason: keysOf(RESET_NOTES) }), { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constant("reject" as const),
    ...at,
    cursor,
    code: keysOf(REJECT_NOTES),
    detail,
  }),
  fc.record({ type: fc.constant("credit" as const), bytes: counter }),
  fc.record(
    {
      type: fc.constant("goaway" as const),
      reason: keysOf(GOAWAY_NOTES),
      retryAfterMs: counter,
    },
    { requiredKeys: ["type", "reason"] },
  ),
  fc.record({ type: fc.constant("rotate" as const) }),
  fc.record(
    {
      type: fc.constant("failed" as const),
      stream: uint32,
      code: keysOf(FAILED_NOTES),
      message: detail,
    },
    { requiredKeys: ["type", "code", "message"] },
  ),
);

/** Changes a few bytes of `bytes`, cuts it, or lengthens it: what a hostile or broken sender does. */
export function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const index = fc.nat({ max: Math.max(0, bytes.length - 1) });
  return fc.oneof(
    fc.array(fc.tuple(index, fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }).map((edits) => {
      const copy = Uint8Array.from(bytes);
      for (const [i, value] of edits) copy[i] = value;
      return copy;
    }),
    index.map((length) => bytes.slice(0, length)),
    fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .map((tail) => Uint8Array.from(Buffer.concat([bytes, tail]))),
    fc
      .tuple(index, index)
      .map(([from, to]) =>
        Uint8Array.from(Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])),
      ),
  );
}
