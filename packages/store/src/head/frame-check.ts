import {
  type AdvanceFrame,
  type BatchFrame,
  decodeBatch,
  decodeBatchOnPool,
  type Frame,
  type GapFrame,
  type RecordColumns,
  type RejectCode,
} from "@sluice/protocol/wire";

import { releaseMemory } from "../memory-release.ts";

/** What a batch's row says of its records, recomputed from the records themselves. */
interface BatchFacts {
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  readonly lastTimeUs: number;
  /** Bit n is set when a record of severity number n is among them. */
  readonly severities: number;
  /** Bytes of the bodies, each with the one LF that ends it: what the lines took in their file. */
  readonly bodyBytes: number;
}

/** A frame that compaction can never choke on, or the reason why it cannot be accepted. */
export type CheckedFrame =
  | { readonly kind: "batch"; readonly frame: BatchFrame; readonly facts: BatchFacts }
  | { readonly kind: "gap"; readonly frame: GapFrame }
  | { readonly kind: "advance"; readonly frame: AdvanceFrame }
  | {
      readonly kind: "undecodable";
      readonly frame: BatchFrame;
      readonly code: RejectCode;
      readonly detail: string;
    };

/** Decodes a frame wholly, before anything of it is committed. */
export function checkFrame(frame: Frame): CheckedFrame {
  return frame.kind === "batch" ? checkBatch(frame, decodeBatch(frame)) : withoutRecords(frame);
}

/** The same, what is compressed being decompressed on the thread pool. */
export async function checkFrameOnPool(frame: Frame): Promise<CheckedFrame> {
  return frame.kind === "batch"
    ? checkBatch(frame, await decodeBatchOnPool(frame))
    : withoutRecords(frame);
}

function checkBatch(frame: BatchFrame, decoded: ReturnType<typeof decodeBatch>): CheckedFrame {
  if (decoded.ok) {
    const facts = batchFacts(decoded.value);
    if (decoded.value.bodies.buffer !== frame.payload.buffer) {
      releaseMemory(decoded.value.bodies); // the payload is stored as it came
    }
    return { kind: "batch", frame, facts };
  }
  const { code, detail } = decoded.error;
  return { kind: "undecodable", frame, code, detail };
}

function withoutRecords(frame: GapFrame | AdvanceFrame): CheckedFrame {
  switch (frame.kind) {
    case "gap":
      return { kind: "gap", frame };
    case "advance":
      return { kind: "advance", frame };
    default:
      return frame satisfies never;
  }
}

function batchFacts(columns: RecordColumns): BatchFacts {
  const { count, timesUs, severities } = columns;
  let minTimeUs = Number.POSITIVE_INFINITY;
  let maxTimeUs = Number.NEGATIVE_INFINITY;
  let mask = 0;
  for (let i = 0; i < count; i++) {
    const timeUs = timesUs[i] as number;
    minTimeUs = timeUs < minTimeUs ? timeUs : minTimeUs;
    maxTimeUs = timeUs > maxTimeUs ? timeUs : maxTimeUs;
    mask |= 1 << (severities[i] as number);
  }
  return {
    minTimeUs,
    maxTimeUs,
    lastTimeUs: timesUs[count - 1] as number,
    severities: mask,
    bodyBytes: columns.bodies.length,
  };
}
