import { Buffer } from "node:buffer";
import * as z from "zod/mini";
import {
  FAILED_NOTES,
  type FailedCode,
  GOAWAY_NOTES,
  type GoawayReason,
  REJECT_NOTES,
  type RejectCode,
  RESET_NOTES,
  type ResetReason,
} from "./codes.ts";
import type { AgentMessage, CollectorMessage, Labels } from "./control.ts";
import { LIMITS } from "./limits.ts";
import { MAX_TIME_US } from "./record.ts";

/**
 * What a control message must look like. Unknown keys are dropped, so that a later version may add
 * some; everything else is strict. `zod/mini` because it bundles to a quarter of zod's size.
 */

const counter = z.int().check(z.minimum(0));
const uint32 = counter.check(z.maximum(0xffff_ffff));
const timeUs = z.int().check(z.minimum(-MAX_TIME_US), z.maximum(MAX_TIME_US));
const uuid = z.uuid().check(z.regex(/^[0-9a-f-]*$/));

/** Text that any database and file system takes as it is. */
function text(maxBytes: number): z.ZodMiniString {
  return z.string().check(
    z.maxLength(maxBytes),
    z.refine((value) => value.isWellFormed() && !value.includes("\0")),
  );
}

const name = text(LIMITS.nameBytes).check(z.minLength(1));
const detail = text(LIMITS.detailBytes).check(
  z.refine((value) => Buffer.byteLength(value) <= LIMITS.detailBytes),
);
const source = text(LIMITS.sourceBytes).check(
  z.minLength(1),
  z.refine((value) => Buffer.byteLength(JSON.stringify(value)) <= LIMITS.sourceBytes),
);

const labels: z.ZodMiniType<Labels> = z
  .record(z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/)), text(LIMITS.labelsBytes))
  .check(
    z.refine(
      (value) =>
        Object.keys(value).length <= LIMITS.labels &&
        Buffer.byteLength(JSON.stringify(value)) <= LIMITS.labelsBytes,
    ),
  );

/** Standard base64 with padding, in its one canonical form. */
const cursor = z.pipe(
  z.string().check(z.maxLength(Math.ceil(LIMITS.cursorBytes / 3) * 4)),
  z.transform((base64, context): Uint8Array => {
    const bytes = Buffer.from(base64, "base64");
    if (bytes.length > LIMITS.cursorBytes || bytes.toString("base64") !== base64)
      context.issues.push({ code: "custom", message: "not a cursor in base64", input: base64 });
    return bytes;
  }),
);

function list<Entry extends z.core.SomeType>(entry: Entry): z.ZodMiniArray<Entry> {
  return z.array(entry).check(z.maxLength(LIMITS.controlStreams));
}

function oneOf<Code extends string>(notes: Readonly<Record<Code, unknown>>): z.ZodMiniType<Code> {
  return z.enum(Object.keys(notes) as Code[]);
}

const position = { stream: uint32, epoch: uint32, ordinal: counter, nextSeq: counter };

const unfinished = list(z.object({ source, generation: counter, cursor, nextSeq: counter }));

export const AGENT_SCHEMAS: {
  readonly [Type in AgentMessage["type"]]: z.ZodMiniType<Extract<AgentMessage, { type: Type }>>;
} = {
  hello: z.object({
    type: z.literal("hello"),
    protocol: uint32,
    agentId: uuid,
    instance: name,
    hostname: name,
    version: name,
    labels,
    clockUs: timeUs,
  }),
  open: z.object({
    type: z.literal("open"),
    streams: list(
      z.object({ stream: uint32, source, generation: counter, initialCursor: cursor, labels }),
    ),
  }),
  report: z.object({
    type: z.literal("report"),
    streams: list(z.object({ stream: uint32, behindBytes: counter, oldestUnackedMs: counter })),
  }),
};

export const COLLECTOR_SCHEMAS: {
  readonly [Type in CollectorMessage["type"]]: z.ZodMiniType<
    Extract<CollectorMessage, { type: Type }>
  >;
} = {
  welcome: z.object({
    type: z.literal("welcome"),
    storeId: uuid,
    creditBytes: counter,
    limits: z.object({
      batchRawBytes: counter.check(z.maximum(LIMITS.batchRawBytes)),
      batchRecords: counter.check(z.maximum(LIMITS.batchRecords)),
      recordBytes: counter.check(z.maximum(LIMITS.recordBytes)),
      framePayloadBytes: counter.check(z.maximum(LIMITS.framePayloadBytes)),
      streamsPerAgent: counter.check(z.maximum(LIMITS.streamsPerAgent)),
    }),
    clockUs: timeUs,
    streams: unfinished,
    more: z.boolean(),
  }),
  unfinished: z.object({ type: z.literal("unfinished"), streams: unfinished, more: z.boolean() }),
  opened: z.object({
    type: z.literal("opened"),
    streams: list(z.object({ ...position, cursor, created: z.boolean() })),
  }),
  ack: z.object({ type: z.literal("ack"), streams: list(z.object(position)) }),
  reset: z.object({
    type: z.literal("reset"),
    streams: list(z.object({ ...position, cursor, reason: oneOf<ResetReason>(RESET_NOTES) })),
  }),
  reject: z.object({
    type: z.literal("reject"),
    ...position,
    cursor,
    code: oneOf<RejectCode>(REJECT_NOTES),
    detail,
  }),
  credit: z.object({ type: z.literal("credit"), bytes: counter }),
  goaway: z.object({
    type: z.literal("goaway"),
    reason: oneOf<GoawayReason>(GOAWAY_NOTES),
    retryAfterMs: z.exactOptional(counter),
  }),
  rotate: z.object({ type: z.literal("rotate") }),
  failed: z.object({
    type: z.literal("failed"),
    stream: z.exactOptional(uint32),
    code: oneOf<FailedCode>(FAILED_NOTES),
    message: detail,
  }),
};
