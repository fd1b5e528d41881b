import { BatchBuilder, LIMITS } from "@sluice/protocol";
import { EVENT_ROOM_BYTES, openSource } from "./generate.ts";
import type { GenerateOptions } from "./generate.ts";
import type { LineSource, Scene } from "./line-source.ts";
import { LineWriter } from "./line-writer.ts";
import type { Transfer } from "./transfer.ts";
import { withTransfers } from "./transfer.ts";

const LF = 0x0a;

/** One log, to be made into batches as an agent would. */
export interface RecordLogOptions extends GenerateOptions {
  /** Its place in a corpus with transfers, 0-63: no two logs share a transfer's number. */
  readonly stream?: number;
}

/** A log that is written event by event. */
export interface RecordSource {
  /** Writes the next event. */
  readonly next: LineSource;
  /** Time of the last event, as its line says it. */
  readonly timeUs: number;
  /** Starts a batch; the array fills with its transfers while it is made. */
  begin(): readonly Transfer[];
}

/** Records that follow each other in one log. The views are good until the next batch is made. */
export interface RecordBatch {
  readonly count: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  /** The lines as a file holds them. */
  readonly text: Buffer;
  /** The same with their times and severities, as `BatchBuilder` lays them out. */
  readonly payload: Buffer;
  readonly transfers: readonly Transfer[];
}

/** Makes batches of many logs over one buffer. */
export class RecordBatchMaker {
  readonly #builder = new BatchBuilder();
  readonly #line: LineWriter = new LineWriter(this.#builder.buffer);

  /** The next events of a log, about `bytes` of them, each line a record with its event's time. */
  make(log: RecordSource, bytes: number): RecordBatch {
    const builder = this.#builder;
    const line = this.#line;
    const limit = Math.min(bytes, LIMITS.batchRawBytes - EVENT_ROOM_BYTES);
    builder.reset();
    line.at = 0;
    const transfers = log.begin();
    while (line.at < limit && builder.count < LIMITS.batchRecords - EVENT_ROOM_BYTES) {
      const severity = log.next(line);
      this.#addLines(log.timeUs, severity);
    }
    const { count, minTimeUs, maxTimeUs, bodiesBytes } = builder;
    const payload = builder.finish();
    return {
      count,
      minTimeUs,
      maxTimeUs,
      transfers,
      payload,
      text: payload.subarray(0, bodiesBytes),
    };
  }

  #addLines(timeUs: number, severity: number): void {
    const builder = this.#builder;
    const end = this.#line.at;
    while (builder.bodiesBytes < end) {
      const lineEnd = builder.buffer.indexOf(LF, builder.bodiesBytes);
      if (!builder.add(lineEnd, timeUs, severity)) throw new Error("a batch without room");
    }
  }
}

/** One generated log, with transfers in it where it has a place in a corpus, which stands where its last event ended. */
export class RecordLog implements RecordSource {
  readonly next: LineSource;
  readonly #scene: Scene;
  #transfers: Transfer[] = [];

  constructor(options: RecordLogOptions) {
    const { next, scene } = openSource(options);
    this.#scene = scene;
    const { kind, stream } = options;
    this.next =
      stream === undefined
        ? next
        : withTransfers(next, scene, { kind, stream }, (transfer) => {
            this.#transfers.push(transfer);
          });
  }

  get timeUs(): number {
    return this.#scene.clock.writtenUs;
  }

  begin(): readonly Transfer[] {
    this.#transfers = [];
    return this.#transfers;
  }
}
