import { closeSync, openSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { constants, zstdCompressSync } from "node:zlib";
import { compressPayloadSync } from "@sluice/protocol";

import { RecordBatchMaker, RecordLog } from "../corpus/record-batches.ts";
import type { Transfer } from "../corpus/transfer.ts";
import type { CorpusStream } from "./corpus-plan.ts";

/** What a thread of the generator is started with. */
export interface CorpusThreadData {
  readonly streams: readonly CorpusStream[];
  /** Text of one batch. */
  readonly batchBytes: number;
  /** Takes all of the thread's text, as zstd -3 in frames of one batch; undefined for none. */
  readonly textFile: string | undefined;
}

/** A batch of one stream, all but its place in the stream. */
export interface BatchDraft {
  readonly stream: number;
  readonly count: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  /** Of the lines, LFs included. */
  readonly textBytes: number;
  /** Of the payload before compression. */
  readonly rawBytes: number;
  readonly payload: Uint8Array;
  readonly transfers: readonly Transfer[];
}

interface Progress {
  readonly stream: number;
  readonly log: RecordLog;
  leftBytes: number;
}

const LEVEL_3 = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

const { streams, batchBytes, textFile } = workerData as CorpusThreadData;
const maker = new RecordBatchMaker();
const text = textFile === undefined ? undefined : openSync(textFile, "wx");
const progress: Progress[] = streams.map((stream) => ({
  stream: stream.stream,
  log: new RecordLog(stream),
  leftBytes: stream.bytes,
}));

/** The next batch of the stream that lags most; undefined when all have their size. */
function nextDraft(): BatchDraft | undefined {
  const unfinished = progress.filter(({ leftBytes }) => leftBytes > 0);
  const [first, ...others] = unfinished;
  if (first === undefined) return undefined;
  const next = others.reduce((a, b) => (b.log.timeUs < a.log.timeUs ? b : a), first);
  const batch = maker.make(next.log, Math.min(next.leftBytes, batchBytes));
  next.leftBytes -= batch.text.length;
  if (text !== undefined) writeSync(text, zstdCompressSync(batch.text, LEVEL_3));
  const { count, minTimeUs, maxTimeUs, transfers } = batch;
  return {
    stream: next.stream,
    count,
    minTimeUs,
    maxTimeUs,
    transfers,
    textBytes: batch.text.length,
    rawBytes: batch.payload.length,
    // Of its own memory, which moves to the other thread.
    payload: Uint8Array.from(compressPayloadSync(batch.payload)),
  };
}

/** Each message asks for one batch; undefined says that there are no more. */
parentPort?.on("message", () => {
  const draft = nextDraft();
  if (draft === undefined) {
    if (text !== undefined) closeSync(text);
    parentPort?.removeAllListeners("message").postMessage(undefined);
  } else {
    parentPort?.postMessage(draft, [draft.payload.buffer as ArrayBuffer]);
  }
});
